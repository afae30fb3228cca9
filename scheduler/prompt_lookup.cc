#include "scheduler/prompt_lookup.h"

#include <algorithm>

namespace edgegate {
namespace {

constexpr int kShortest = 2;  // tokens that must have come up before
constexpr int kLongest = 6;   // more of them tell no more

// How many tokens before `end` are those at the end of all, up to kLongest.
int Alike(const std::vector<int32_t>& tokens, int end) {
  const int size = static_cast<int>(tokens.size());
  int alike = 0;
  while (alike < std::min(kLongest, end) && tokens[end - 1 - alike] == tokens[size - 1 - alike]) {
    ++alike;
  }
  return alike;
}

}  // namespace

void PromptLookup::Guess(const std::vector<int32_t>& tokens, int most,
                         std::vector<int32_t>* guess) {
  guess->clear();
  if (most <= 0) return;
  const int length = std::min(length_.Next(), most);
  if (length == 0) return;
  // The longest match; of those the latest.
  const int size = static_cast<int>(tokens.size());
  int best = kShortest - 1, from = 0;
  for (int end = size - 1; end >= kShortest && best < kLongest; --end) {
    if (tokens[end - 1] != tokens[size - 1]) continue;
    if (const int alike = Alike(tokens, end); alike > best) {
      best = alike;
      from = end;
    }
  }
  if (from == 0) return;
  // What repeats itself goes on into the guess.
  for (int i = 0; i < length; ++i) {
    guess->push_back(from + i < size ? tokens[from + i] : (*guess)[from + i - size]);
  }
}

}  // namespace edgegate
