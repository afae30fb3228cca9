#include "server/call/thinking_budget.h"

#include <doctest/doctest.h>

namespace edgegate {
namespace {

// Tokens: 0 "<think>", 1 "</", 2 "think>", 3 "a", 4 a space.
class Words : public Vocabulary {
 public:
  std::string TokenBytes(int32_t id) const override {
    constexpr const char* kWords[] = {"<think>", "</", "think>", "a", " "};
    return kWords[id];
  }
  bool IsSpecial(int32_t) const override { return false; }
  bool IsValid(int32_t id) const override { return id < 5; }
  bool StripsLeadingSpace() const override { return false; }
  int vocab_size() const override { return 5; }
};

constexpr uint32_t kAll = 0b11111;

// The masks before each token, and behind the last one.
std::vector<uint32_t> Masks(bool open, int tokens, const std::vector<int32_t>& ids) {
  const Words words;
  const auto valid = ValidTokens(words, 40);
  const auto start =
      LimitThinking({{"<think>", "</think>"}, {1, 2}, open, tokens}, words, valid, {});
  const auto sequence = start->Clone();
  std::vector<uint32_t> masks;
  for (int32_t id : ids) {
    masks.push_back(sequence->Allowed()[0]);
    sequence->Accept(id);
  }
  masks.push_back(sequence->Allowed()[0]);
  CHECK(sequence->Allowed().size() == 2);
  return masks;
}

TEST_CASE("the end mark is forced behind the last token of the thoughts") {
  using List = std::vector<uint32_t>;
  CHECK(Masks(true, 2, {3, 3, 1, 2, 3}) == List{kAll, kAll, 1 << 1, 1 << 2, kAll, kAll});
  CHECK(Masks(true, 0, {1, 2}) == List{1 << 1, 1 << 2, kAll});
  CHECK(Masks(false, 1, {4, 0, 3, 1, 2}) == List{kAll, kAll, kAll, 1 << 1, 1 << 2, kAll});
}

TEST_CASE("nothing is forced without thoughts, and behind their own end") {
  using List = std::vector<uint32_t>;
  CHECK(Masks(false, 1, {3, 0, 3, 3}) == List(5, kAll));
  CHECK(Masks(true, 4, {3, 1, 2, 3, 3, 3}) == List(7, kAll));
}

}  // namespace
}  // namespace edgegate
