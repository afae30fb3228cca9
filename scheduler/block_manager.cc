#include "scheduler/block_manager.h"

#include <cassert>

namespace edgegate {

BlockManager::BlockManager(int num_blocks)
    : references_(static_cast<size_t>(num_blocks)),
      entries_(static_cast<size_t>(num_blocks), cache_.end()),
      evictable_places_(static_cast<size_t>(num_blocks), evictable_.end()) {
  for (int32_t block = num_blocks - 1; block >= 0; --block) free_.push_back(block);
}

int32_t BlockManager::Allocate() {
  assert(num_free() > 0);
  int32_t block;
  if (!free_.empty()) {
    block = free_.back();
    free_.pop_back();
  } else {
    block = evictable_.front();
    evictable_.pop_front();
    const auto index = static_cast<size_t>(block);
    evictable_places_[index] = evictable_.end();
    cache_.erase(entries_[index]);
    entries_[index] = cache_.end();
  }
  references_[static_cast<size_t>(block)] = 1;
  return block;
}

void BlockManager::Share(int32_t block) {
  const auto index = static_cast<size_t>(block);
  if (references_[index]++ > 0) return;
  assert(evictable_places_[index] != evictable_.end());
  evictable_.erase(evictable_places_[index]);
  evictable_places_[index] = evictable_.end();
}

void BlockManager::Release(int32_t block) {
  const auto index = static_cast<size_t>(block);
  assert(references_[index] > 0);
  if (--references_[index] > 0) return;
  if (entries_[index] == cache_.end()) {
    free_.push_back(block);
  } else {
    evictable_places_[index] = evictable_.insert(evictable_.end(), block);
  }
}

void BlockManager::Register(int32_t block, const PrefixKey& key) {
  const auto index = static_cast<size_t>(block);
  assert(references_[index] > 0);
  if (entries_[index] != cache_.end()) return;
  const auto [place, added] = cache_.emplace(key, block);
  if (added) entries_[index] = place;
}

std::optional<int32_t> BlockManager::Find(const PrefixKey& key) const {
  const auto found = cache_.find(key);
  return found == cache_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace edgegate
