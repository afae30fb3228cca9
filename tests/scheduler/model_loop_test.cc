// Random requests through a model loop, compared with each one computed alone by the fake model:
// the same tokens and log-probabilities, whatever else runs and however small the pool is.

#include "scheduler/model_loop.h"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <random>

#include "scheduler/request_check.h"
#include "tests/fakes/add_request.h"
#include "tests/fakes/fake_model_runner.h"

namespace edgegate {
namespace {

constexpr int kVocab = 50;

struct Expected {
  std::vector<int32_t> tokens;
  std::vector<float> logprobs;
};

// Allows even and odd ids in turn. Each mask is ready after up to `most_polls` calls. If `fails_at`
// >= 0, the mask after that number of tokens fails.
class ByTurns : public TokenConstraint {
 public:
  explicit ByTurns(int most_polls = 0, int fails_at = -1)
      : most_polls_(most_polls), fails_at_(fails_at) {
    Begin();
  }
  std::unique_ptr<TokenConstraint> Clone() const override {
    return std::make_unique<ByTurns>(*this);
  }
  State Poll() override {
    if (left_ > 0 && left_-- > 0) return State::kComputing;
    return seen_ == fails_at_ ? State::kFailed : State::kReady;
  }
  State Wait(TimePoint) override { return Poll(); }
  std::span<const uint32_t> Allowed() const override {
    static constexpr std::array<uint32_t, 2> kEven{0x55555555u, 0x55555555u},
        kOdd{0xAAAAAAAAu, 0xAAAAAAAAu};
    REQUIRE(left_ == 0);
    return seen_ % 2 == 0 ? kEven : kOdd;
  }
  void Accept(int32_t token) override {
    REQUIRE(left_ == 0);
    REQUIRE(token % 2 == seen_ % 2);
    random_ = random_ * 1664525 + 1013904223 + static_cast<uint32_t>(token);
    ++seen_;
    Begin();
  }
  Status error() const override { return InvalidArgument("the mask costs too much"); }

 private:
  void Begin() {
    left_ = most_polls_ == 0 ? 0 : static_cast<int>(random_ >> 16) % (most_polls_ + 1);
  }

  const int most_polls_;
  const int fails_at_;
  uint32_t random_ = 1;
  int seen_ = 0;
  int left_ = 0;
};

// The prompt with the tokens that stand for its images.
std::vector<int32_t> Seen(const GenerationRequest& request) {
  std::vector<int32_t> tokens = request.prompt;
  for (const PromptMedia& media : request.media) {
    for (int row = 0; row < 1 + media.item.shape.width; ++row) {
      tokens[media.position + row] = FakeModelRunner::ImageToken(*media.item.pixels, row);
    }
  }
  return tokens;
}

// The trivial model: one sequence, without scheduler and blocks.
Expected Alone(const GenerationRequest& request, int index) {
  Expected out;
  std::vector<int32_t> tokens = Seen(request);
  const std::vector<bool> allowed(kVocab, true);
  TokenCounts counts;
  ByTurns constraint;  // with masks that take no time
  SamplingParams params = request.sampling;
  params.seed += static_cast<uint64_t>(index);
  for (int i = 0; i < request.max_tokens; ++i) {
    const auto logits = FakeModelRunner::Logits(tokens, kVocab);
    const auto permitted = request.constraint ? constraint.Allowed() : std::span<const uint32_t>();
    auto sampled =
        Sampler().Sample(logits, {allowed, permitted}, params, counts, static_cast<uint64_t>(i));
    REQUIRE(sampled.ok());
    tokens.push_back(sampled->token);
    ++counts.output[sampled->token];
    out.tokens.push_back(sampled->token);
    out.logprobs.push_back(sampled->logprob);
    if (sampled->token == request.stop_token_ids[0]) break;
    if (request.constraint) constraint.Accept(sampled->token);
  }
  return out;
}

struct Live {
  GenerationRequest request;
  std::shared_ptr<GenerationStream> stream;
  std::map<int, Expected> got;
  std::vector<SampledToken> prompt_logprobs;
  int open = 0;
  bool cancelled = false;
};

GenerationRequest RandomRequest(std::mt19937& random, const RunnerLimits& limits) {
  auto pick = [&](int low, int high) {
    return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1));
  };
  const int most = std::min(limits.max_model_len, limits.num_blocks * limits.block_size);
  GenerationRequest r;
  const int prompt = pick(1, std::max(1, most / 2));
  r.max_tokens = pick(1, std::max(1, most - prompt));
  // Every second prompt has a common prefix.
  const int common = pick(0, 1) * pick(0, prompt), which = pick(1, 2);
  for (int i = 0; i < prompt; ++i) {
    r.prompt.push_back(i < common ? (i * which + i / 3) % kVocab : pick(0, kVocab - 1));
  }
  // The number of rows is a property of the image.
  int width = pick(1, 3);
  for (int at = common > 0 ? 1 : pick(0, 3); pick(0, 2) > 0 && at + 1 + width <= prompt;) {
    const auto color = static_cast<uint8_t>(pick(0, common > 0 ? 1 : 4));
    r.media.push_back({at, FakeImage(color, width, 2, fmt::format("{} {}", color, width))});
    at += 1 + width;
    width = pick(1, 3);
  }
  if (pick(0, 3) == 0) r.tenant = "2";
  r.num_sequences = pick(0, 3) == 0 ? pick(2, 4) : 1;
  r.sampling.temperature = pick(0, 1) ? 1.0f : 0.0f;
  r.sampling.seed = random();
  r.sampling.num_top_logprobs = 2;
  r.stop_token_ids = {7};
  if (pick(0, 3) == 0) r.num_prompt_logprobs = 1;
  if (pick(0, 3) == 0) r.constraint = std::make_shared<ByTurns>(pick(0, 1) * pick(0, 40));
  r.client = std::to_string(pick(1, 3));
  return r;
}

void Collect(Live* live) {
  while (auto event = live->stream->Next(Clock::time_point())) {
    for (const SampledToken& t : event->tokens) {
      live->got[event->index].tokens.push_back(t.token);
      live->got[event->index].logprobs.push_back(t.logprob);
    }
    if (!event->prompt_logprobs.empty()) live->prompt_logprobs = event->prompt_logprobs;
    if (event->finish != FinishReason::kNone) --live->open;
  }
}

void Verify(const Live& live) {
  CHECK(live.open == 0);
  for (int i = 0; i < live.request.num_sequences; ++i) {
    const Expected want = Alone(live.request, i);
    const auto found = live.got.find(i);
    const Expected got = found == live.got.end() ? Expected{} : found->second;
    if (live.cancelled) {
      REQUIRE(got.tokens.size() <= want.tokens.size());
      CHECK(std::equal(got.tokens.begin(), got.tokens.end(), want.tokens.begin()));
    } else {
      CHECK(got.tokens == want.tokens);
      CHECK(got.logprobs == want.logprobs);
    }
  }
  if (live.request.num_prompt_logprobs >= 0 && !live.cancelled) {
    REQUIRE(live.prompt_logprobs.size() == live.request.prompt.size() - 1);
    const std::vector<int32_t> seen = Seen(live.request);
    for (size_t i = 0; i < live.prompt_logprobs.size(); ++i) {
      const std::vector<int32_t> before(seen.begin(), seen.begin() + static_cast<int>(i) + 1);
      const auto logits = FakeModelRunner::Logits(before, kVocab);
      const auto want =
          DescribeToken(logits, std::vector<bool>(kVocab, true), live.request.prompt[i + 1], 1);
      CHECK(live.prompt_logprobs[i].logprob == want.logprob);
    }
  }
}

struct DraftSetup {
  RunnerLimits limits;
  int wrong_percent = 0;
};

// Plays random requests, and returns the loop's counters at the end.
EngineSnapshot::Model Play(uint32_t seed, const RunnerLimits& limits,
                           const SchedulerSettings& settings, const DraftSetup* setup = nullptr) {
  CAPTURE(seed);
  std::mt19937 random(seed);
  auto owned = std::make_unique<FakeModelRunner>(limits);
  FakeModelRunner* runner = owned.get();
  auto owned_draft = setup ? std::make_unique<FakeModelRunner>(setup->limits) : nullptr;
  FakeModelRunner* draft = owned_draft.get();
  if (draft != nullptr) draft->wrong_percent = setup->wrong_percent;
  ModelLoop loop(std::move(owned), settings, std::vector<bool>(kVocab, true),
                 std::move(owned_draft));
  std::vector<std::unique_ptr<Live>> all;
  const int requests = 12;
  int steps = 0;
  while (static_cast<int>(all.size()) < requests || loop.HasWork()) {
    REQUIRE(++steps < 20000);  // all requests end
    if (static_cast<int>(all.size()) < requests && random() % 3 == 0) {
      auto live = std::make_unique<Live>();
      live->request = RandomRequest(random, limits);
      live->open = live->request.num_sequences;
      live->stream = std::make_shared<GenerationStream>(live->open);
      REQUIRE(CheckRequest(live->request, limits).ok());
      AddRequest(&loop, live->request, live->stream);
      all.push_back(std::move(live));
    }
    if (!all.empty() && random() % 40 == 0) {
      Live& victim = *all[random() % all.size()];
      victim.cancelled = true;
      victim.stream->RequestCancel(-1);
    }
    if (draft != nullptr && random() % 30 == 0) draft->fail_next = 1;
    loop.Sweep(Clock::now());
    CHECK(loop.Step(random() % 2 == 0));
    REQUIRE(runner->violation() == "");
    if (draft != nullptr) REQUIRE(draft->violation() == "");
    const auto snapshot = loop.snapshot();
    CHECK(snapshot.running <= settings.max_num_seqs);
    for (auto& live : all) Collect(live.get());
  }
  CHECK(loop.snapshot().blocks_free == limits.num_blocks);
  CHECK(loop.snapshot().draft_blocks_free == (setup ? setup->limits.num_blocks : 0));
  for (auto& live : all) Verify(*live);
  return loop.snapshot();
}

RunnerLimits MakeLimits(int block_size, int blocks, int tokens, int rows) {
  return {kVocab, 64, block_size, blocks, tokens, rows, 2, std::make_shared<FakeMedia>()};
}

TEST_CASE("random requests together give the bytes that each gives alone") {
  const int64_t two_images = 2 * 3 * 2 * sizeof(float);
  const std::chrono::milliseconds automatic{0};
  uint64_t cached = 0, drafted = 0, accepted = 0;
  for (uint32_t seed = 0; seed < 20; ++seed) {
    const auto end = Play(seed, MakeLimits(4, 40, 32, 8), {8, 32, 100, two_images});
    cached += end.cached_tokens;
    drafted += end.draft_tokens;
    accepted += end.accepted_tokens;
    const auto plain =
        Play(seed, MakeLimits(4, 40, 32, 8), {8, 32, 100, two_images, false, automatic, false});
    CHECK(plain.cached_tokens == 0);
    CHECK(plain.draft_tokens == 0);
    Play(seed, MakeLimits(4, 40, 32, 8), {8, 32, 100, 0});
    Play(seed, MakeLimits(4, 40, 32, 8),
         {8, 32, 100, two_images, true, std::chrono::milliseconds(1)});
    Play(seed, MakeLimits(16, 8, 16, 4), {4, 16, 100});
  }
  CHECK(cached > 0);
  CHECK(accepted > 0);
  CHECK(drafted > accepted);
}

TEST_CASE("a tenant does not find another tenant's cached blocks") {
  const RunnerLimits limits = MakeLimits(4, 40, 32, 8);
  ModelLoop loop(std::make_unique<FakeModelRunner>(limits), {8, 32, 100},
                 std::vector<bool>(kVocab, true));
  const auto ask = [&](const char* tenant) {
    GenerationRequest r;
    r.tenant = tenant;
    r.prompt = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    r.max_tokens = 1;
    r.stop_token_ids = {-1};
    const uint64_t before = loop.snapshot().cached_tokens;
    AddRequest(&loop, std::move(r), std::make_shared<GenerationStream>(1));
    while (loop.HasWork()) loop.Step(false);
    return loop.snapshot().cached_tokens - before;
  };
  CHECK(ask("1") == 0);
  CHECK(ask("2") == 0);
  CHECK(ask("") == 0);
  CHECK(ask("1") == 8);
  CHECK(ask("2") == 8);
}

TEST_CASE("the smallest block size, pool and token budget give the same bytes") {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    Play(seed, MakeLimits(1, 20, 8, 4), {4, 8, 100});  // block size 1
    Play(seed, MakeLimits(4, 3, 8, 4), {4, 8, 100});   // a pool of 3 blocks
    Play(seed, MakeLimits(4, 12, 1, 1), {4, 1, 100});  // a budget of 1
    Play(seed, MakeLimits(2, 10, 8, 8), {1, 8, 100});  // one sequence at a time
    Play(seed, MakeLimits(1, 3, 1, 1), {4, 1, 100});   // all at once
  }
}

TEST_CASE("random requests give the same bytes with any draft model") {
  const std::chrono::milliseconds automatic{0}, plenty{1000};
  const RunnerLimits limits = MakeLimits(4, 40, 32, 8), tight = MakeLimits(4, 12, 16, 8);
  uint64_t accepted_without = 0, accepted_with = 0, preemptions = 0;
  for (uint32_t seed = 0; seed < 20; ++seed) {
    const DraftSetup good{MakeLimits(4, 64, 32, 8)}, bad{MakeLimits(4, 64, 32, 8), 40},
        hopeless{MakeLimits(4, 64, 32, 8), 100};
    accepted_without += Play(seed, limits, {8, 32, 100, 0, true, plenty}).accepted_tokens;
    accepted_with += Play(seed, limits, {8, 32, 100, 0, true, plenty}, &good).accepted_tokens;
    Play(seed, limits, {8, 32, 100}, &bad);
    Play(seed, limits, {8, 32, 100, 0, true, std::chrono::milliseconds(1)}, &hopeless);
    preemptions += Play(seed, tight, {8, 32, 100, 0, false, automatic}, &bad).preemptions;
    const auto off = Play(seed, limits, {8, 32, 100, 0, true, automatic, false}, &good);
    CHECK(off.draft_tokens == 0);
    // A draft with less of everything: blocks, tokens in a pass, rows, context.
    const DraftSetup few_blocks{MakeLimits(2, 9, 32, 8), 10}, small_passes{MakeLimits(1, 64, 1, 1)},
        one_block{MakeLimits(16, 1, 8, 2)};
    DraftSetup short_context{MakeLimits(4, 40, 32, 8)};
    short_context.limits.max_model_len = 20;
    for (const DraftSetup& small : {few_blocks, small_passes, one_block, short_context}) {
      Play(seed, limits, {8, 32, 100}, &small);
      Play(seed, tight, {3, 16, 100}, &small);
    }
  }
  CHECK(accepted_with > accepted_without);
  CHECK(preemptions > 0);
}

TEST_CASE("a failed step ends its own requests and no other") {
  const RunnerLimits limits = MakeLimits(4, 16, 8, 4);
  auto owned = std::make_unique<FakeModelRunner>(limits);
  FakeModelRunner* runner = owned.get();
  ModelLoop loop(std::move(owned), {1, 8, 100}, std::vector<bool>(kVocab, true));
  auto add = [&] {
    GenerationRequest r;
    r.prompt = {1, 2, 3};
    r.max_tokens = 4;
    r.stop_token_ids = {-1};
    auto stream = std::make_shared<GenerationStream>(1);
    AddRequest(&loop, r, stream);
    return stream;
  };
  auto first = add(), second = add();
  runner->fail_next = 1;
  CHECK_FALSE(loop.Step(false));
  while (loop.HasWork()) CHECK(loop.Step(false));
  const auto failed = first->Next(Clock::time_point());
  REQUIRE(failed);
  CHECK(failed->finish == FinishReason::kError);
  int tokens = 0;
  while (auto event = second->Next(Clock::time_point()))
    tokens += static_cast<int>(event->tokens.size());
  CHECK(tokens == 4);
}

}  // namespace
}  // namespace edgegate
