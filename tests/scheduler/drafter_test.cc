// A model loop with a draft model: when it proposes tokens, and when it frees its blocks.
// model_loop_test.cc has the random requests.

#include "scheduler/drafter.h"

#include <doctest/doctest.h>

#include "scheduler/model_loop.h"
#include "tests/fakes/add_request.h"
#include "tests/fakes/fake_model_runner.h"

namespace edgegate {
namespace {

constexpr int kVocab = 50;
constexpr int kDraftBlocks = 32;

RunnerLimits MakeLimits(int blocks) { return {kVocab, 64, 4, blocks, 16, 8}; }

// A loop with a draft model whose tokens are always accepted, and requests without images.
struct Drafted {
  explicit Drafted(bool with_draft = true, int blocks = 64) {
    auto owned = std::make_unique<FakeModelRunner>(MakeLimits(blocks));
    runner = owned.get();
    std::unique_ptr<FakeModelRunner> owned_draft;
    if (with_draft) owned_draft = std::make_unique<FakeModelRunner>(MakeLimits(kDraftBlocks));
    draft = owned_draft.get();
    const SchedulerSettings settings{
        .max_num_seqs = 8,
        .max_num_batched_tokens = 16,
        .target_itl = std::chrono::seconds(1)};  // time for long drafts
    loop = std::make_unique<ModelLoop>(std::move(owned), settings, std::vector<bool>(kVocab, true),
                                       std::move(owned_draft));
  }
  std::shared_ptr<GenerationStream> Ask(int prompt, int max_tokens) {
    GenerationRequest r;
    for (int i = 0; i < prompt; ++i) r.prompt.push_back(i * i % kVocab);
    r.sampling.temperature = 0;
    r.max_tokens = max_tokens;
    r.stop_token_ids = {-1};
    auto stream = std::make_shared<GenerationStream>(1);
    AddRequest(loop.get(), r, stream);
    return stream;
  }
  FakeModelRunner* runner;
  FakeModelRunner* draft;
  std::unique_ptr<ModelLoop> loop;
};

TEST_CASE("accepted drafts of a draft model save steps") {
  int steps[2];
  for (const bool with_draft : {false, true}) {
    Drafted drafted(with_draft);
    drafted.Ask(3, 50);
    while (drafted.loop->HasWork()) drafted.loop->Step(false);
    steps[with_draft] = drafted.runner->calls();
  }
  CHECK(2 * steps[true] < steps[false]);
}

TEST_CASE("a cancelled sequence returns its draft blocks at any moment") {
  for (int moment = 0; moment < 30; ++moment) {
    Drafted drafted;
    auto leaving = drafted.Ask(20, 40), staying = drafted.Ask(5, 40);
    for (int i = 0; i < moment; ++i) drafted.loop->Step(false);
    leaving->RequestCancel(-1);
    drafted.loop->Sweep(Clock::now());
    while (drafted.loop->HasWork()) CHECK(drafted.loop->Step(false));
    CHECK(drafted.draft->violation() == "");
    CHECK(drafted.draft->calls() > 0);
    CHECK(drafted.loop->snapshot().draft_blocks_total == kDraftBlocks);
    CHECK(drafted.loop->snapshot().draft_blocks_free == kDraftBlocks);
    CHECK(drafted.loop->snapshot().blocks_free == 64);
  }
}

TEST_CASE("prompt lookup drafts repeated text, with short drafts beside prompts") {
  Drafter drafter(16, nullptr);
  Sequence s;
  s.tokens = {1, 2, 3, 4, 5, 6, 7, 1, 2, 3};
  s.prompt_len = 9;
  s.num_computed = 9;
  s.max_tokens = 20;
  drafter.Propose({&s}, true, {});
  CHECK(s.draft_tokens == std::vector<int32_t>{4, 5, 6});
  drafter.Propose({&s}, false, {});
  CHECK(s.draft_tokens == std::vector<int32_t>{4, 5});
}

TEST_CASE("the draft model pauses while a prompt is prefilled") {
  Drafted drafted;
  drafted.Ask(3, 60);
  while (drafted.draft->calls() == 0) drafted.loop->Step(false);
  drafted.Ask(50, 1);  // in chunks: a step takes 16 tokens
  drafted.loop->Step(false);
  for (int chunk = 1; chunk < 4; ++chunk) {
    const int before = drafted.draft->calls();
    drafted.loop->Step(false);
    CHECK(drafted.draft->calls() == before);
  }
}

TEST_CASE("a preempted sequence returns its draft blocks") {
  Drafted drafted(true, 12);
  drafted.Ask(10, 36);
  drafted.Ask(11, 35);
  drafted.loop->Step(false);
  int free_before = kDraftBlocks;
  while (drafted.loop->snapshot().waiting == 0) {
    free_before = drafted.loop->snapshot().draft_blocks_free;
    REQUIRE(drafted.loop->HasWork());
    drafted.loop->Step(false);
  }
  CHECK(drafted.loop->snapshot().draft_blocks_free > free_before + 3);
  while (drafted.loop->HasWork()) drafted.loop->Step(false);
  CHECK(drafted.loop->snapshot().draft_blocks_free == kDraftBlocks);
}

}  // namespace
}  // namespace edgegate
