#include "scheduler/media_cache.h"

namespace edgegate {

SharedEmbedding MediaCache::Find(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  uses_.splice(uses_.begin(), uses_, found->second.use);
  return found->second.embedding;
}

void MediaCache::Insert(const std::string& key, SharedEmbedding embedding) {
  if (embedding->bytes() > max_bytes_ || entries_.contains(key)) return;
  bytes_ += embedding->bytes();
  uses_.push_front(key);
  entries_[key] = {std::move(embedding), uses_.begin()};
  while (bytes_ > max_bytes_) {
    const auto oldest = entries_.find(uses_.back());
    bytes_ -= oldest->second.embedding->bytes();
    entries_.erase(oldest);
    uses_.pop_back();
  }
}

}  // namespace edgegate
