// The embedding rows of pictures, kept for the next request that shows the same one.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace edgegate {

using ImageEmbedding = std::shared_ptr<const std::vector<float>>;

// The least recently used are dropped where the limit is passed. What somebody still holds lives on
// outside of it. Not thread-safe.
class ImageCache {
 public:
  explicit ImageCache(int64_t max_bytes) : max_bytes_(max_bytes) {}

  // Null: not there.
  ImageEmbedding Find(const std::string& key);
  void Insert(const std::string& key, ImageEmbedding rows);

  int64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    ImageEmbedding rows;
    std::list<std::string>::iterator use;
  };
  static int64_t SizeOf(const ImageEmbedding& rows) {
    return static_cast<int64_t>(rows->size() * sizeof(float));
  }

  const int64_t max_bytes_;
  int64_t bytes_ = 0;
  std::list<std::string> uses_;  // the latest first
  std::map<std::string, Entry> entries_;
};

}  // namespace edgegate
