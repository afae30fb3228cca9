#include "scheduler/block_manager.h"

#include <cassert>

namespace edgegate {

BlockManager::BlockManager(int num_blocks)
    : references_(static_cast<size_t>(num_blocks)),
      names_(static_cast<size_t>(num_blocks), known_.end()),
      places_(static_cast<size_t>(num_blocks), idle_.end()) {
  for (int32_t block = num_blocks - 1; block >= 0; --block) free_.push_back(block);
}

int32_t BlockManager::Allocate() {
  assert(num_free() > 0);
  int32_t block;
  if (!free_.empty()) {
    block = free_.back();
    free_.pop_back();
  } else {
    block = idle_.front();
    idle_.pop_front();
    const auto index = static_cast<size_t>(block);
    places_[index] = idle_.end();
    known_.erase(names_[index]);
    names_[index] = known_.end();
  }
  references_[static_cast<size_t>(block)] = 1;
  return block;
}

void BlockManager::Share(int32_t block) {
  const auto index = static_cast<size_t>(block);
  if (references_[index]++ > 0) return;
  assert(places_[index] != idle_.end());
  idle_.erase(places_[index]);
  places_[index] = idle_.end();
}

void BlockManager::Release(int32_t block) {
  const auto index = static_cast<size_t>(block);
  assert(references_[index] > 0);
  if (--references_[index] > 0) return;
  if (names_[index] == known_.end()) {
    free_.push_back(block);
  } else {
    places_[index] = idle_.insert(idle_.end(), block);
  }
}

void BlockManager::Know(int32_t block, const PrefixKey& key) {
  const auto index = static_cast<size_t>(block);
  assert(references_[index] > 0);
  if (names_[index] != known_.end()) return;
  const auto [place, added] = known_.emplace(key, block);
  if (added) names_[index] = place;
}

std::optional<int32_t> BlockManager::Find(const PrefixKey& key) const {
  const auto found = known_.find(key);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace edgegate
