#include "scheduler/image_cache.h"

namespace edgegate {

ImageEmbedding ImageCache::Find(const std::string& key) {
  auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  uses_.splice(uses_.begin(), uses_, found->second.use);
  return found->second.rows;
}

void ImageCache::Insert(const std::string& key, ImageEmbedding rows) {
  if (SizeOf(rows) > max_bytes_ || entries_.contains(key)) return;
  bytes_ += SizeOf(rows);
  uses_.push_front(key);
  entries_[key] = {std::move(rows), uses_.begin()};
  while (bytes_ > max_bytes_) {
    auto oldest = entries_.find(uses_.back());
    bytes_ -= SizeOf(oldest->second.rows);
    entries_.erase(oldest);
    uses_.pop_back();
  }
}

}  // namespace edgegate
