#include "scheduler/prompt_lookup.h"

#include <algorithm>

namespace edgegate {
namespace {

constexpr int kLongestGuess = 16;
// A token that is computed on a guess makes a step longer by less than this part of it: a guess
// goes on while its tokens are likelier than that to be right.
constexpr float kWorth = 0.1f;
constexpr float kSmoothing = 1.0f / 8;
constexpr int kRests = 8;  // after as many, one token is tried

// How many tokens before `end` are those at the end of all, up to kMostAlike.
int Alike(const std::vector<int32_t>& tokens, int end) {
  const int size = static_cast<int>(tokens.size());
  int alike = 0;
  while (alike < std::min(PromptLookup::kMostAlike, end) &&
         tokens[end - 1 - alike] == tokens[size - 1 - alike]) {
    ++alike;
  }
  return alike;
}

}  // namespace

int PromptLookup::LengthFor(int alike) {
  const size_t i = static_cast<size_t>(alike) - 1;
  int length = 0;
  for (float right = odds_[i]; right >= kWorth && length < kLongestGuess; right *= odds_[i]) {
    ++length;
  }
  if (length == 0 && ++rests_[i] == kRests) {
    rests_[i] = 0;
    return 1;
  }
  return length;
}

void PromptLookup::Learn(int computed, int right) {
  if (computed == 0) return;
  // Each right token makes what is alike one longer.
  for (int i = 0; i < computed && i <= right; ++i) {
    float& odds = odds_[static_cast<size_t>(std::min(alike_ + i, kMostAlike)) - 1];
    odds += ((i < right ? 1.0f : 0.0f) - odds) * kSmoothing;
  }
}

void PromptLookup::Guess(const std::vector<int32_t>& tokens, int most, int least_alike,
                         std::vector<int32_t>* guess) {
  guess->clear();
  if (most <= 0) return;
  // The longest match; of those the latest.
  const int size = static_cast<int>(tokens.size());
  int best = least_alike - 1, from = 0;
  for (int end = size - 1; end >= least_alike && best < kMostAlike; --end) {
    if (tokens[end - 1] != tokens[size - 1]) continue;
    if (const int alike = Alike(tokens, end); alike > best) {
      best = alike;
      from = end;
    }
  }
  if (from == 0) return;
  alike_ = best;
  const int length = std::min(LengthFor(best), most);
  // What repeats itself goes on into the guess.
  for (int i = 0; i < length; ++i) {
    guess->push_back(from + i < size ? tokens[from + i] : (*guess)[from + i - size]);
  }
}

}  // namespace edgegate
