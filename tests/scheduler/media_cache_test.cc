#include "scheduler/media_cache.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <random>

namespace edgegate {
namespace {

TEST_CASE("the cache keeps the most recently used entries within its bytes, like a searched list") {
  std::mt19937 random(3);
  constexpr int64_t kMost = 1000;
  MediaCache cache(kMost);
  std::deque<std::pair<std::string, SharedEmbedding>> trivial;  // the latest first
  for (int i = 0; i < 5000; ++i) {
    const std::string key = std::to_string(random() % 12);
    auto known = std::find_if(trivial.begin(), trivial.end(),
                              [&](const auto& entry) { return entry.first == key; });
    const SharedEmbedding want = known == trivial.end() ? nullptr : known->second;
    CHECK(cache.Find(key) == want);
    if (known != trivial.end()) {
      std::rotate(trivial.begin(), known, known + 1);
      continue;
    }
    auto rows = std::make_shared<MediaEmbedding>();
    rows->data.resize(1 + random() % 280);
    cache.Insert(key, rows);
    int64_t bytes = 0;
    if (rows->bytes() <= kMost) trivial.emplace_front(key, rows);
    for (size_t n = 0; n < trivial.size(); ++n) {
      bytes += trivial[n].second->bytes();
      if (bytes > kMost) trivial.resize(n);
    }
    CHECK(cache.bytes() <= kMost);
  }
}

}  // namespace
}  // namespace edgegate
