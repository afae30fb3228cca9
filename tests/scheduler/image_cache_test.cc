#include "scheduler/image_cache.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace edgegate {
namespace {

TEST_CASE("the cache keeps the most recently used entries within its bytes, like a searched list") {
  std::mt19937 random(3);
  constexpr int64_t kMost = 1000;
  ImageCache cache(kMost);
  std::deque<std::pair<std::string, ImageEmbedding>> trivial;  // the latest first
  for (int i = 0; i < 5000; ++i) {
    const std::string key = std::to_string(random() % 12);
    auto known = std::find_if(trivial.begin(), trivial.end(),
                              [&](const auto& entry) { return entry.first == key; });
    const ImageEmbedding want = known == trivial.end() ? nullptr : known->second;
    CHECK(cache.Find(key) == want);
    if (known != trivial.end()) {
      std::rotate(trivial.begin(), known, known + 1);
      continue;
    }
    auto rows = std::make_shared<std::vector<float>>(1 + random() % 280);
    cache.Insert(key, rows);
    int64_t bytes = 0;
    if (rows->size() * 4 <= kMost) trivial.emplace_front(key, rows);
    for (size_t n = 0; n < trivial.size(); ++n) {
      bytes += static_cast<int64_t>(trivial[n].second->size() * 4);
      if (bytes > kMost) trivial.resize(n);
    }
    CHECK(cache.bytes() <= kMost);
  }
}

}  // namespace
}  // namespace edgegate
