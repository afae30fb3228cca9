// Delivery on logits that the test chooses: stop conditions, log-probabilities, draft tokens, masks
// and final events.

#include "scheduler/delivery.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "tests/fakes/fake_model_runner.h"

namespace edgegate {
namespace {

constexpr int kVocab = 50;
const RunnerLimits kLimits{kVocab, 512, 4, 200, 64, 64};
constexpr auto kNoWait = std::chrono::milliseconds(0);

// Allows every id. The test sets the state of the mask.
class Mask : public TokenConstraint {
 public:
  explicit Mask(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::unique_ptr<TokenConstraint> Clone() const override { return std::make_unique<Mask>(state_); }
  State Poll() override { return *state_; }
  State Wait(TimePoint /*deadline*/) override { return *state_; }
  std::span<const uint32_t> Allowed() const override {
    static constexpr std::array<uint32_t, 2> kAll{~0u, ~0u};
    return kAll;
  }
  void Accept(int32_t /*token*/) override {}
  Status error() const override { return InvalidArgument("the grammar costs too much"); }

 private:
  const std::shared_ptr<State> state_;
};

// A scheduler and a delivery; the test computes the steps. Logits depend on all tokens before them.
struct Fixture {
  explicit Fixture(int max_num_seqs = 16) {
    scheduler = std::make_unique<Scheduler>(SchedulerConfig{.max_num_seqs = max_num_seqs,
                                                            .max_num_batched_tokens = 64,
                                                            .max_logits_rows = 64,
                                                            .block_size = 4,
                                                            .num_blocks = 200});
    drafter = std::make_unique<Drafter>(0, nullptr);
    delivery = std::make_unique<Delivery>(kVocab, std::vector<bool>(kVocab, true), scheduler.get(),
                                          drafter.get());
  }
  static GenerationRequest Request(int max_tokens, int n = 1) {
    GenerationRequest r;
    r.prompt = {1, 2, 3, 4, 5, 6};
    r.max_tokens = max_tokens;
    r.num_sequences = n;
    r.sampling.temperature = 0;
    return r;
  }
  SequenceGroup* Add(GenerationRequest request) {
    auto stream = std::make_shared<GenerationStream>(events, next_index);
    next_index += request.num_sequences;
    groups.push_back(
        MakeSequenceGroup(std::move(request), std::move(stream), Delivery::Clock::now(), kLimits));
    for (auto& s : groups.back()->sequences) {
      s->id = next_id++;
      scheduler->Add(s.get());
    }
    return groups.back().get();
  }
  // The logits of the step's rows, one after the other.
  static std::vector<float> Compute(const std::vector<ScheduledSequence>& step) {
    std::vector<float> logits;
    for (const ScheduledSequence& share : step) {
      const Sequence& s = *share.sequence;
      std::vector<int32_t> text = s.tokens;
      text.insert(text.end(), s.draft_tokens.begin(), s.draft_tokens.end());
      for (int i = share.first_logits; i < share.count + share.num_draft_tokens; ++i) {
        const auto end = text.begin() + s.num_computed + i + 1;
        const auto row = FakeModelRunner::Logits({text.begin(), end}, kVocab);
        logits.insert(logits.end(), row.begin(), row.end());
      }
    }
    return logits;
  }
  void Step(int prompt_tokens = 1000) {
    const auto& step = scheduler->Schedule(prompt_tokens);
    delivery->DeliverStep(step, Compute(step).data(), kNoWait);
  }
  std::vector<TokenEvent> Take() const {
    std::vector<TokenEvent> taken;
    while (auto event = events->Next(Delivery::Clock::time_point())) {
      taken.push_back(*std::move(event));
    }
    return taken;
  }

  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<Drafter> drafter;
  std::unique_ptr<Delivery> delivery;
  std::shared_ptr<EventQueue> events = std::make_shared<EventQueue>(1000);
  std::vector<std::unique_ptr<SequenceGroup>> groups;
  int next_index = 0;
  uint64_t next_id = 0;
};

// The trivial model: the greedy continuation of the prompt, token by token.
std::vector<int32_t> Greedy(std::vector<int32_t> tokens, int count) {
  const size_t prompt = tokens.size();
  for (int i = 0; i < count; ++i) {
    const auto row = FakeModelRunner::Logits(tokens, kVocab);
    tokens.push_back(static_cast<int32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return {tokens.begin() + static_cast<int64_t>(prompt), tokens.end()};
}

TEST_CASE("max_tokens ends a sequence with its last token") {
  Fixture f;
  f.Add(Fixture::Request(3));
  while (f.scheduler->HasWork()) f.Step();
  const auto events = f.Take();
  const auto want = Greedy({1, 2, 3, 4, 5, 6}, 3);
  REQUIRE(events.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    REQUIRE(events[i].tokens.size() == 1);
    CHECK(events[i].tokens[0].token == want[i]);
    CHECK(events[i].finish == (i < 2 ? FinishReason::kNone : FinishReason::kLength));
    CHECK(events[i].timings.has_value() == (i == 2));
  }
  CHECK(f.scheduler->blocks().num_free() == 200);
  CHECK(f.delivery->totals().generated_tokens == 3);
  CHECK(f.delivery->totals().prompt_tokens == 6);
}

TEST_CASE("a stop token ends a sequence, also as its last allowed token") {
  const auto want = Greedy({1, 2, 3, 4, 5, 6}, 2);
  for (const int max_tokens : {2, 10}) {
    Fixture f;
    auto request = Fixture::Request(max_tokens);
    request.stop_token_ids = {want[1], 49, want[1]};
    f.Add(std::move(request));
    while (f.scheduler->HasWork()) f.Step();
    const auto events = f.Take();
    REQUIRE(events.size() == 2);
    CHECK(events[1].tokens[0].token == want[1]);
    CHECK(events[1].finish == FinishReason::kStop);
  }
}

TEST_CASE("no stop token is sampled before min_tokens, and the next one ends the sequence") {
  const auto want = Greedy({1, 2, 3, 4, 5, 6}, 8);
  for (const int min_tokens : {0, 1, 2, 3, 5}) {
    CAPTURE(min_tokens);
    Fixture f;
    auto request = Fixture::Request(8);
    // Ids that the model would choose early, and many others.
    request.stop_token_ids = {want[0], want[1]};
    for (int32_t id = 20; id < kVocab; ++id) request.stop_token_ids.push_back(id);
    request.min_tokens = min_tokens;
    const std::vector<int32_t> stops = request.stop_token_ids;
    f.Add(std::move(request));
    while (f.scheduler->HasWork()) f.Step();
    const auto events = f.Take();
    for (size_t i = 0; i < events.size(); ++i) {
      REQUIRE(events[i].tokens.size() == 1);
      const bool is_stop =
          std::find(stops.begin(), stops.end(), events[i].tokens[0].token) != stops.end();
      CHECK(is_stop == (events[i].finish == FinishReason::kStop));
      if (static_cast<int>(i) < min_tokens) CHECK_FALSE(is_stop);
    }
    if (min_tokens == 0) CHECK(events.size() == 1);
  }
}

TEST_CASE("log-probabilities of prompt and answer are a softmax of the raw logits") {
  for (const int chunk : {1, 2, 100}) {
    CAPTURE(chunk);
    Fixture f;
    auto request = Fixture::Request(2);
    request.num_prompt_logprobs = 2;
    request.sampling.num_top_logprobs = 3;
    request.sampling.logit_bias = {{7, 100.0f}};  // changes the choice and no log-probability
    f.Add(std::move(request));
    while (f.scheduler->HasWork()) f.Step(chunk);
    const auto events = f.Take();
    REQUIRE(events.size() == 2);
    std::vector<int32_t> text = {1, 2, 3, 4, 5, 6, 7, 7};
    std::vector<SampledToken> got = events[0].prompt_logprobs;
    REQUIRE(got.size() == 5);
    CHECK(events[1].prompt_logprobs.empty());
    got.push_back(events[0].tokens[0]);
    got.push_back(events[1].tokens[0]);
    for (size_t i = 0; i < got.size(); ++i) {
      const auto row = FakeModelRunner::Logits(
          {text.begin(), text.begin() + static_cast<int64_t>(i) + 1}, kVocab);
      double sum = 0;
      for (float logit : row) sum += std::exp(double{logit});
      CHECK(got[i].token == text[i + 1]);
      CHECK(got[i].logprob ==
            doctest::Approx(double{row[static_cast<size_t>(text[i + 1])]} - std::log(sum)));
      CHECK(got[i].top.size() == (i < 5 ? 2 : 3));
    }
  }
}

TEST_CASE("random draft tokens: the answer is the greedy one, and the longest prefix is accepted") {
  std::mt19937 random(1);
  int accepted = 0, drafted = 0;
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    Fixture f;
    const int max_tokens = 1 + static_cast<int>(random() % 20);
    SequenceGroup* group = f.Add(Fixture::Request(max_tokens));
    Sequence* s = group->sequences[0].get();
    const auto want = Greedy(s->tokens, max_tokens);
    while (s->state != Sequence::State::kFinished) {
      const auto done = static_cast<size_t>(s->generated());
      s->draft_tokens.clear();
      const int limit = done == 0 ? 0 : std::min(s->draft_limit(), static_cast<int>(random() % 6));
      int expected = 0;
      for (int i = 0; i < limit; ++i) {
        const bool good = random() % 4 > 0;
        const int32_t token = want[done + static_cast<size_t>(i)];
        s->draft_tokens.push_back(good ? token : (token + 1) % kVocab);
        if (good && expected == i) ++expected;
      }
      const int before = group->accepted_tokens;
      f.Step();
      CHECK(group->accepted_tokens - before == expected);
      CHECK(s->generated() == static_cast<int>(done) + expected + 1);
      if (s->state == Sequence::State::kRunning) CHECK(s->num_computed == s->length() - 1);
      accepted += expected;
      drafted += limit;
    }
    CHECK(std::vector<int32_t>(s->tokens.begin() + 6, s->tokens.end()) == want);
    const auto events = f.Take();
    REQUIRE(events.back().timings.has_value());
    CHECK(events.back().timings->accepted_tokens == group->accepted_tokens);
    CHECK(f.delivery->totals().accepted_tokens == static_cast<uint64_t>(group->accepted_tokens));
  }
  CHECK(accepted > 100);
  CHECK(drafted > accepted);
}

TEST_CASE("without a mask the last row is dropped, and the token comes later") {
  Fixture f;
  const auto state = std::make_shared<TokenConstraint::State>(TokenConstraint::State::kComputing);
  auto request = Fixture::Request(1);
  request.constraint = std::make_shared<Mask>(state);
  SequenceGroup* group = f.Add(std::move(request));
  Sequence* s = group->sequences[0].get();
  f.Step();
  CHECK(s->awaits_mask);
  CHECK(s->num_computed == 5);
  CHECK(f.Take().empty());
  *state = TokenConstraint::State::kReady;
  f.Step();
  const auto events = f.Take();
  REQUIRE(events.size() == 1);
  CHECK(events[0].tokens[0].token == Greedy({1, 2, 3, 4, 5, 6}, 1)[0]);
}

TEST_CASE("sequences without a constraint are delivered first") {
  Fixture f;
  const auto state = std::make_shared<TokenConstraint::State>(TokenConstraint::State::kReady);
  auto constrained = Fixture::Request(5);
  constrained.constraint = std::make_shared<Mask>(state);
  f.Add(std::move(constrained));
  f.Add(Fixture::Request(5));
  f.Step();
  const auto events = f.Take();
  REQUIRE(events.size() == 2);
  CHECK(events[0].index == 1);
  CHECK(events[1].index == 0);
}

TEST_CASE("a mask that cannot be computed ends its request and no other") {
  Fixture f;
  const auto state = std::make_shared<TokenConstraint::State>(TokenConstraint::State::kFailed);
  auto constrained = Fixture::Request(5, 2);
  constrained.constraint = std::make_shared<Mask>(state);
  SequenceGroup* failing = f.Add(std::move(constrained));
  f.Add(Fixture::Request(5));
  f.Step();
  const auto events = f.Take();
  REQUIRE(events.size() == 3);
  CHECK(events[0].index == 2);
  CHECK(events[0].finish == FinishReason::kNone);
  for (size_t i = 1; i < 3; ++i) {
    CHECK(events[i].finish == FinishReason::kError);
    CHECK(events[i].status.message() == "the grammar costs too much");
    CHECK(events[i].timings.has_value() == (i == 2));
  }
  CHECK(failing->unfinished == 0);
  CHECK(f.scheduler->num_running() == 1);
}

TEST_CASE("logits that are not numbers end their sequence and no other") {
  Fixture f;
  f.Add(Fixture::Request(5));
  f.Add(Fixture::Request(5));
  const auto& step = f.scheduler->Schedule();
  auto logits = Fixture::Compute(step);
  logits[3] = std::numeric_limits<float>::quiet_NaN();
  f.delivery->DeliverStep(step, logits.data(), kNoWait);
  const auto events = f.Take();
  REQUIRE(events.size() == 2);
  CHECK(events[0].finish == FinishReason::kError);
  CHECK(events[0].status.code() == StatusCode::kInternal);
  CHECK(events[1].finish == FinishReason::kNone);
}

TEST_CASE("a sequence ends once, and places in the waiting queue come back") {
  Fixture f(1);
  auto limiter = std::make_shared<AdmissionLimiter>(10);
  SequenceGroup* group = f.Add(Fixture::Request(5, 3));
  auto ticket = limiter->Enter("", 3);
  REQUIRE(ticket.ok());
  group->ticket = *std::move(ticket);
  for (int i = 2; i >= 0; --i) {
    Sequence* s = group->sequences[static_cast<size_t>(i)].get();
    f.delivery->Finish(s, FinishReason::kCancelled);
    f.delivery->Finish(s, FinishReason::kError, Internal("too late"));
    CHECK(limiter->waiting() == i);
  }
  const auto events = f.Take();
  REQUIRE(events.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(events[i].index == static_cast<int>(2 - i));
    CHECK(events[i].finish == FinishReason::kCancelled);
    CHECK(events[i].timings.has_value() == (i == 2));
  }
}

}  // namespace
}  // namespace edgegate
