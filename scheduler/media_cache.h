// Encoded media, kept for later requests that show the same item.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <string>

#include "engine/model/media.h"

namespace edgegate {

// The least recently used items are dropped where the limit is passed. An item that a request still
// holds lives on outside of the cache. Not thread-safe.
class MediaCache {
 public:
  explicit MediaCache(int64_t max_bytes) : max_bytes_(max_bytes) {}

  // Null where the item is not cached.
  SharedEmbedding Find(const std::string& key);
  // No effect where the key is cached, or the item is larger than the limit.
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
