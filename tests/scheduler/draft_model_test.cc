// Random texts that follow their drafts or not: every draft token equals the most likely token
// after the text so far, as computed without blocks.

#include "scheduler/draft_model.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "tests/fakes/fake_model_runner.h"

namespace edgegate {
namespace {

constexpr int kVocab = 50;
constexpr auto kSpare = std::chrono::seconds(1);

struct Fixture {
  explicit Fixture(int block_size, int blocks, int tokens, int max_model_len = 512) {
    auto owned = std::make_unique<FakeModelRunner>(
        RunnerLimits{kVocab, max_model_len, block_size, blocks, tokens, 8});
    runner = owned.get();
    model = std::make_unique<DraftModel>(std::move(owned));
  }
  // Proposes draft tokens, checks them, and returns their number.
  int Propose(Sequence* sequence, int most = 4) {
    sequence->draft_tokens.clear();
    model->Propose({sequence}, most, kSpare);
    Check(*sequence);
    return static_cast<int>(sequence->draft_tokens.size());
  }
  void Check(const Sequence& sequence) const {
    REQUIRE(runner->violation() == "");
    std::vector<int32_t> tokens = sequence.tokens;
    for (int32_t token : sequence.draft_tokens) {
      const auto row = FakeModelRunner::Logits(tokens, kVocab);
      REQUIRE(token == std::max_element(row.begin(), row.end()) - row.begin());
      tokens.push_back(token);
    }
  }
  FakeModelRunner* runner;
  std::unique_ptr<DraftModel> model;
};

Sequence MakeSequence(int length, int max_tokens = 1000) {
  Sequence s;
  s.prompt_len = length;
  s.max_tokens = max_tokens;
  for (int i = 0; i < length; ++i) s.tokens.push_back((i * i + length) % kVocab);
  return s;
}

TEST_CASE("drafts of random texts equal the draft model's greedy tokens") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    auto pick = [&](int low, int high) {
      return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1));
    };
    const int blocks = pick(4, 60);
    Fixture f(pick(1, 8), blocks, pick(1, 16));
    std::vector<Sequence> all;
    for (int i = pick(1, 4); i > 0; --i) all.push_back(MakeSequence(pick(1, 40)));
    for (int step = 0; step < 60; ++step) {
      std::vector<Sequence*> some;
      for (Sequence& s : all) {
        s.draft_tokens.clear();
        if (pick(0, 3) > 0) some.push_back(&s);
      }
      f.model->Propose(some, pick(1, 7), kSpare);
      for (Sequence& s : all) {
        f.Check(s);
        // Some computed draft tokens are accepted, then another token follows; or nothing was
        // computed at all.
        const int computed = pick(0, static_cast<int>(s.draft_tokens.size()));
        const int accepted = pick(0, computed);
        s.tokens.insert(s.tokens.end(), s.draft_tokens.begin(), s.draft_tokens.begin() + accepted);
        if (pick(0, 4) > 0) s.tokens.push_back(pick(0, kVocab - 1));
        f.model->Learn(s, computed, accepted);
        if (pick(0, 30) == 0) f.model->Forget(s);
      }
      if (pick(0, 30) == 0) f.runner->fail_next = 1;
    }
    for (Sequence& s : all) f.model->Forget(s);
    CHECK(f.model->blocks().num_free() == blocks);
  }
}

TEST_CASE("a long text is prefilled in chunks while a short one gets its drafts") {
  Fixture f(4, 64, 16);
  Sequence text = MakeSequence(100), brief = MakeSequence(3);
  f.Propose(&brief);
  for (int call = 1; call <= 8; ++call) {
    CAPTURE(call);
    text.draft_tokens.clear();
    brief.draft_tokens.clear();
    brief.tokens.push_back(call);
    const int before = f.runner->calls();
    f.model->Propose({&text, &brief}, 4, kSpare);
    f.Check(text);
    f.Check(brief);
    CHECK(brief.draft_tokens.size() == 4);
    CHECK(f.runner->calls() == before + 4);
    // The short text takes one or two tokens of a pass: 15 and 14 are left in a call.
    CHECK(text.draft_tokens.size() == (call < 7 ? 0 : 4));
  }
}

TEST_CASE("drafts grow when accepted, pause when rejected, and stay within max_tokens") {
  Fixture f(4, 64, 64);
  Sequence s = MakeSequence(5, 12);
  CHECK(f.Propose(&s, 16) == 4);
  f.model->Learn(s, 4, 4);
  CHECK(f.Propose(&s, 16) == 8);
  CHECK(f.Propose(&s, 3) == 3);
  s.max_tokens = 4;
  CHECK(f.Propose(&s, 16) == 3);
  s.max_tokens = 12;
  int tried = 0;
  for (int step = 0; step < 1000; ++step) {
    const int drafted = f.Propose(&s, 16);
    tried += drafted > 0 ? 1 : 0;
    f.model->Learn(s, drafted, 0);
  }
  CHECK(tried > 10);
  CHECK(tried < 30);
}

TEST_CASE("without a time budget one token is drafted") {
  Fixture f(4, 64, 64);
  Sequence s = MakeSequence(5);
  CHECK(f.Propose(&s) == 4);
  s.draft_tokens.clear();
  f.model->Propose({&s}, 4, std::chrono::seconds(0));
  CHECK(s.draft_tokens.size() == 1);
}

TEST_CASE("a sequence without room gets no draft") {
  SUBCASE("of blocks, until another one's are free") {
    Fixture f(4, 8, 64);
    Sequence first = MakeSequence(20), second = MakeSequence(20);
    CHECK(f.Propose(&first) == 4);
    CHECK(f.Propose(&second) == 0);
    CHECK(f.model->blocks().num_free() == 2);
    CHECK(f.Propose(&first) == 4);
    f.model->Forget(first);
    CHECK(f.model->blocks().num_free() == 8);
    int calls = 1;
    while (f.Propose(&second) == 0) REQUIRE(++calls < 10);
  }
  SUBCASE("of its own, once it has grown too long: it keeps none") {
    Fixture f(4, 6, 64);
    Sequence s = MakeSequence(20);
    CHECK(f.Propose(&s) == 4);
    s.tokens.resize(25, 1);
    CHECK(f.Propose(&s) == 0);
    CHECK(f.model->blocks().num_free() == 6);
  }
  SUBCASE("in the model's context") {
    Fixture f(4, 64, 64, 22);
    Sequence s = MakeSequence(20);
    CHECK(f.Propose(&s) == 3);  // the last of them at position 22 is not computed
    s.tokens.resize(23, 1);
    CHECK(f.Propose(&s) == 0);
    CHECK(f.model->blocks().num_free() == 64);
  }
}

TEST_CASE("a failed forward pass of the draft model loses drafts only") {
  Fixture f(4, 64, 64);
  Sequence s = MakeSequence(20);
  f.runner->fail_next = 1;
  CHECK(f.Propose(&s) == 0);
  CHECK(f.model->blocks().num_free() == 64);
  CHECK(f.Propose(&s) == 2);  // a miss halves the next draft
}

}  // namespace
}  // namespace edgegate
