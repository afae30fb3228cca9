#include "scheduler/prompt_lookup.h"

#include <doctest/doctest.h>

namespace edgegate {
namespace {

using Tokens = std::vector<int32_t>;

Tokens Guess(PromptLookup* lookup, const Tokens& tokens, int most) {
  Tokens guess;
  lookup->Guess(tokens, most, &guess);
  return guess;
}

Tokens Guess(const Tokens& tokens, int most) {
  PromptLookup lookup;
  return Guess(&lookup, tokens, most);
}

TEST_CASE("what followed the last time is what is guessed") {
  CHECK(Guess({1, 2, 3, 4, 5, 9, 1, 2}, 8) == Tokens{3, 4, 5, 9});
  CHECK(Guess({1, 2, 3, 4, 5, 9, 1, 2}, 2) == Tokens{3, 4});
  // The latest of two places, unless an earlier one is alike for longer.
  CHECK(Guess({1, 2, 7, 0, 1, 2, 8, 0, 1, 2}, 1) == Tokens{8});
  CHECK(Guess({5, 1, 2, 7, 0, 1, 2, 8, 5, 1, 2}, 1) == Tokens{7});
}

TEST_CASE("a repetition goes on beyond its end") {
  CHECK(Guess({4, 6, 6, 6, 6}, 8) == Tokens{6, 6, 6, 6});
  CHECK(Guess({0, 1, 2, 3, 1, 2, 3}, 8) == Tokens{1, 2, 3, 1});
}

TEST_CASE("nothing alike, nothing guessed") {
  CHECK(Guess({}, 8).empty());
  CHECK(Guess({1}, 8).empty());
  CHECK(Guess({1, 1}, 8).empty());
  CHECK(Guess({1, 2, 3, 4, 2}, 8).empty());
  CHECK(Guess({1, 2, 3, 1, 2}, 0).empty());
}

TEST_CASE("right guesses grow, wrong ones pause") {
  const Tokens tokens(40, 3);
  PromptLookup lookup;
  CHECK(Guess(&lookup, tokens, 16).size() == 4);
  lookup.Learn(4, 4);
  CHECK(Guess(&lookup, tokens, 16).size() == 8);
  lookup.Learn(8, 2);
  CHECK(Guess(&lookup, tokens, 16).size() == 3);
  int tried = 0;
  for (int step = 0; step < 1000; ++step) {
    const auto guess = Guess(&lookup, tokens, 16);
    tried += guess.empty() ? 0 : 1;
    lookup.Learn(static_cast<int>(guess.size()), 0);
  }
  CHECK(tried > 10);
  CHECK(tried < 30);
  while (Guess(&lookup, tokens, 16).empty()) continue;
  lookup.Learn(1, 1);
  CHECK(Guess(&lookup, tokens, 16).size() == 2);
}

}  // namespace
}  // namespace edgegate
