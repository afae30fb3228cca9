#include "scheduler/prompt_lookup.h"

#include <doctest/doctest.h>

namespace edgegate {
namespace {

using Tokens = std::vector<int32_t>;

Tokens Propose(PromptLookup* lookup, const Tokens& tokens, int most) {
  Tokens draft;
  lookup->Propose(tokens, most, 2, &draft);
  return draft;
}

Tokens Propose(const Tokens& tokens, int most) {
  PromptLookup lookup;
  return Propose(&lookup, tokens, most);
}

TEST_CASE("the draft is the continuation of the last occurrence") {
  CHECK(Propose({1, 2, 3, 4, 5, 9, 1, 2}, 8) == Tokens{3, 4});
  CHECK(Propose({1, 2, 3, 4, 5, 9, 1, 2}, 1) == Tokens{3});
  // The latest of two occurrences, unless an earlier one matches a longer n-gram.
  CHECK(Propose({1, 2, 7, 0, 1, 2, 8, 0, 1, 2}, 1) == Tokens{8});
  CHECK(Propose({5, 1, 2, 7, 0, 1, 2, 8, 5, 1, 2}, 1) == Tokens{7});
}

TEST_CASE("a repetition is drafted beyond its end") {
  CHECK(Propose({4, 6, 6, 6, 6}, 8) == Tokens{6, 6, 6});
  CHECK(Propose({0, 1, 2, 3, 1, 2, 3}, 2) == Tokens{1, 2});
  PromptLookup lookup;
  for (int i = 0; i < 20; ++i) {
    Propose(&lookup, {0, 1, 2, 3, 1, 2, 3}, 8);
    lookup.Learn(8, 8);
  }
  CHECK(Propose(&lookup, {0, 1, 2, 3, 1, 2, 3}, 8) == Tokens{1, 2, 3, 1, 2, 3, 1, 2});
}

TEST_CASE("without a matching n-gram nothing is drafted") {
  CHECK(Propose({}, 8).empty());
  CHECK(Propose({1}, 8).empty());
  CHECK(Propose({1, 1}, 8).empty());
  CHECK(Propose({1, 2, 3, 4, 2}, 8).empty());
  CHECK(Propose({1, 2, 3, 1, 2}, 0).empty());
  PromptLookup lookup;
  Tokens draft;
  lookup.Propose({1, 2, 3, 4, 2}, 8, 1, &draft);
  CHECK(draft == Tokens{3});
  lookup.Propose({1, 2, 3, 4, 5}, 8, 1, &draft);
  CHECK(draft.empty());
}

TEST_CASE("drafts grow with the n-gram length and its acceptance rate") {
  const Tokens brief{1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2};
  const Tokens text{1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 6};
  CHECK(Propose(brief, 16).size() < Propose(text, 16).size());
  PromptLookup lookup;
  for (int i = 0; i < 40; ++i) {
    const auto draft = Propose(&lookup, text, 16);
    lookup.Learn(static_cast<int>(draft.size()), static_cast<int>(draft.size()));
  }
  CHECK(Propose(&lookup, text, 16).size() == 16);
  CHECK(Propose(&lookup, brief, 16).size() == Propose(brief, 16).size());
}

TEST_CASE("rejected n-gram lengths are tried rarely") {
  const Tokens tokens(40, 3);
  PromptLookup lookup;
  int tried = 0;
  for (int step = 0; step < 1000; ++step) {
    const auto draft = Propose(&lookup, tokens, 16);
    tried += static_cast<int>(draft.size());
    lookup.Learn(static_cast<int>(draft.size()), 0);
  }
  CHECK(tried > 100);
  CHECK(tried < 300);
  int accepted = 0;
  for (int step = 0; step < 100; ++step) {
    const auto draft = Propose(&lookup, tokens, 16);
    lookup.Learn(static_cast<int>(draft.size()), static_cast<int>(draft.size()));
    accepted += static_cast<int>(draft.size());
  }
  CHECK(accepted > 500);
}

}  // namespace
}  // namespace edgegate
