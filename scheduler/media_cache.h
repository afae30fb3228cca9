// Encoded media, kept for later requests with the same item.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <string>

#include "engine/model/media.h"

namespace edgegate {

// Drops the least recently used items if the limit is exceeded. A dropped item stays valid while a
// request uses it. Not thread-safe.
class MediaCache {
 public:
  explicit MediaCache(int64_t max_bytes) : max_bytes_(max_bytes) {}

  // Returns the cached item. Null: the item is not cached.
  SharedEmbedding Find(const std::string& key);
  // Adds an item. No effect if the key is cached, or if the item is larger than the limit.
  void Insert(const std::string& key, SharedEmbedding embedding);

  int64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    SharedEmbedding embedding;
    std::list<std::string>::iterator use;
  };

  const int64_t max_bytes_;
  int64_t bytes_ = 0;
  std::list<std::string> uses_;  // keys, the latest first
  std::map<std::string, Entry> entries_;
};

}  // namespace edgegate
