// The members of a request that are accepted and have no effect. The answer and the log name them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace edgegate {

// Owned by one thread. Keeps a limited number of short texts.
class Warnings {
 public:
  static constexpr size_t kMost = 32;
  static constexpr size_t kMaxBytes = 200;

  // Adds a text. Long texts are cut. Texts above the limit are counted only.
  void Add(std::string text) {
    if (list_.size() >= kMost) {
      ++dropped_;
      return;
    }
    if (text.size() > kMaxBytes) text.resize(kMaxBytes);
    list_.push_back(std::move(text));
  }

  // Names a member that is known and has no effect.
  void NoEffect(const std::string& member) { Add("'" + member + "' has no effect."); }

  // Names a member that edgegate does not know. A member that is null counts as absent: it gets no
  // text. `server.strict` refuses both.
  void Unknown(const std::string& member, bool is_null) {
    if (!unknown_) unknown_ = member.substr(0, kMaxBytes);
    if (!is_null) Add("'" + member + "' is unknown and has no effect.");
  }

  // Adds the texts and the unknown member of `other`.
  void Merge(const Warnings& other) {
    for (const std::string& text : other.list_) Add(text);
    dropped_ += other.dropped_;
    if (!unknown_) unknown_ = other.unknown_;
  }

  bool empty() const { return list_.empty(); }
  // Returns the texts, and one with the number of further ones.
  std::vector<std::string> list() const {
    std::vector<std::string> all = list_;
    if (dropped_ > 0) all.push_back(std::to_string(dropped_) + " further warnings are left out.");
    return all;
  }
  // The path of the first unknown member. nullopt: all members are known.
  const std::optional<std::string>& unknown() const { return unknown_; }

 private:
  std::vector<std::string> list_;
  size_t dropped_ = 0;
  std::optional<std::string> unknown_;
};

}  // namespace edgegate
