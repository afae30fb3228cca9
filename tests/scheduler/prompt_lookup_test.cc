#include "scheduler/prompt_lookup.h"

#include <doctest/doctest.h>

namespace edgegate {
namespace {

using Tokens = std::vector<int32_t>;

Tokens Propose(PromptLookup* lookup, const Tokens& tokens, int most) {
  Tokens guess;
  lookup->Propose(tokens, most, 2, &guess);
  return guess;
}

Tokens Propose(const Tokens& tokens, int most) {
  PromptLookup lookup;
  return Propose(&lookup, tokens, most);
}

TEST_CASE("what followed the last time is what is guessed") {
  CHECK(Propose({1, 2, 3, 4, 5, 9, 1, 2}, 8) == Tokens{3, 4});
  CHECK(Propose({1, 2, 3, 4, 5, 9, 1, 2}, 1) == Tokens{3});
  // The latest of two places, unless an earlier one is alike for longer.
  CHECK(Propose({1, 2, 7, 0, 1, 2, 8, 0, 1, 2}, 1) == Tokens{8});
  CHECK(Propose({5, 1, 2, 7, 0, 1, 2, 8, 5, 1, 2}, 1) == Tokens{7});
}

TEST_CASE("a repetition goes on beyond its end") {
  CHECK(Propose({4, 6, 6, 6, 6}, 8) == Tokens{6, 6, 6});
  CHECK(Propose({0, 1, 2, 3, 1, 2, 3}, 2) == Tokens{1, 2});
  PromptLookup lookup;
  for (int i = 0; i < 20; ++i) {
    Propose(&lookup, {0, 1, 2, 3, 1, 2, 3}, 8);
    lookup.Learn(8, 8);
  }
  CHECK(Propose(&lookup, {0, 1, 2, 3, 1, 2, 3}, 8) == Tokens{1, 2, 3, 1, 2, 3, 1, 2});
}

TEST_CASE("nothing alike, nothing guessed") {
  CHECK(Propose({}, 8).empty());
  CHECK(Propose({1}, 8).empty());
  CHECK(Propose({1, 1}, 8).empty());
  CHECK(Propose({1, 2, 3, 4, 2}, 8).empty());
  CHECK(Propose({1, 2, 3, 1, 2}, 0).empty());
  PromptLookup lookup;
  Tokens guess;
  lookup.Propose({1, 2, 3, 4, 2}, 8, 1, &guess);
  CHECK(guess == Tokens{3});
  lookup.Propose({1, 2, 3, 4, 5}, 8, 1, &guess);
  CHECK(guess.empty());
}

TEST_CASE("drafts grow with the n-gram length and its acceptance rate") {
  const Tokens brief{1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2};
  const Tokens text{1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 6};
  CHECK(Propose(brief, 16).size() < Propose(text, 16).size());
  PromptLookup lookup;
  for (int i = 0; i < 40; ++i) {
    const auto guess = Propose(&lookup, text, 16);
    lookup.Learn(static_cast<int>(guess.size()), static_cast<int>(guess.size()));
  }
  CHECK(Propose(&lookup, text, 16).size() == 16);
  CHECK(Propose(&lookup, brief, 16).size() == Propose(brief, 16).size());
}

TEST_CASE("rejected n-gram lengths are tried rarely") {
  const Tokens tokens(40, 3);
  PromptLookup lookup;
  int tried = 0;
  for (int step = 0; step < 1000; ++step) {
    const auto guess = Propose(&lookup, tokens, 16);
    tried += static_cast<int>(guess.size());
    lookup.Learn(static_cast<int>(guess.size()), 0);
  }
  CHECK(tried > 100);
  CHECK(tried < 300);
  int right = 0;
  for (int step = 0; step < 100; ++step) {
    const auto guess = Propose(&lookup, tokens, 16);
    lookup.Learn(static_cast<int>(guess.size()), static_cast<int>(guess.size()));
    right += static_cast<int>(guess.size());
  }
  CHECK(right > 500);  // and when it is right again, that is soon known
}

}  // namespace
}  // namespace edgegate
