// The members of a request that are accepted and have no effect. The answer and the log name them.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace edgegate {

// Owned by one thread. Keeps a limited number of short texts.
class Warnings {
 public:
  static constexpr size_t kMost = 32;
  static constexpr size_t kMaxBytes = 200;

  // Adds a text. Long texts are cut, and texts above the limit are dropped.
  void Add(std::string text) {
    if (list_.size() >= kMost) return;
    if (text.size() > kMaxBytes) text.resize(kMaxBytes);
    list_.push_back(std::move(text));
  }
  // Names a member of the request that has no effect.
  void NoEffect(const std::string& member) { Add("'" + member + "' has no effect."); }

  bool empty() const { return list_.empty(); }
  const std::vector<std::string>& list() const { return list_; }

 private:
  std::vector<std::string> list_;
};

}  // namespace edgegate
