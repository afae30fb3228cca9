#include "scheduler/block_manager.h"

#include <cassert>

namespace edgegate {

BlockManager::BlockManager(int num_blocks) : references_(static_cast<size_t>(num_blocks)) {
  for (int32_t block = num_blocks - 1; block >= 0; --block) free_.push_back(block);
}

int32_t BlockManager::Allocate() {
  assert(!free_.empty());
  const int32_t block = free_.back();
  free_.pop_back();
  references_[static_cast<size_t>(block)] = 1;
  return block;
}

void BlockManager::Share(int32_t block) {
  assert(references(block) > 0);
  ++references_[static_cast<size_t>(block)];
}

void BlockManager::Release(int32_t block) {
  assert(references(block) > 0);
  if (--references_[static_cast<size_t>(block)] == 0) free_.push_back(block);
}

}  // namespace edgegate
