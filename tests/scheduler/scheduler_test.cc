// Rules of a single step that random requests through the loop would not find broken.

#include "scheduler/scheduler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>

namespace edgegate {
namespace {

std::unique_ptr<Sequence> MakeSequence(uint64_t id, int prompt, int max_tokens) {
  auto sequence = std::make_unique<Sequence>();
  sequence->id = id;
  sequence->tokens.assign(static_cast<size_t>(prompt), static_cast<int32_t>(id));
  sequence->prompt_len = prompt;
  sequence->max_tokens = max_tokens;
  return sequence;
}

// Completes the step: each sequence whose last token was computed gets a further one.
void Run(Scheduler* scheduler, const std::vector<ScheduledSequence>& step) {
  for (const ScheduledSequence& share : step) {
    scheduler->Advance(share);
    if (share.samples) share.sequence->tokens.push_back(0);
  }
}

TEST_CASE("draft tokens fit the step and leave room for prompts") {
  std::mt19937 random(1);
  const auto pick = [&](int low, int high) {
    return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1));
  };
  int drafts_beside_prompts = 0;
  for (int round = 0; round < 2000; ++round) {
    const int most = pick(1, 6);
    const SchedulerConfig config{.max_num_seqs = most,
                                 .max_num_batched_tokens = pick(most, 16),
                                 .max_logits_rows = pick(most, 12),
                                 .block_size = 4,
                                 .num_blocks = 200};
    Scheduler scheduler(config);
    std::vector<std::unique_ptr<Sequence>> all;
    const int decoding = pick(1, most);
    for (int i = 0; i < decoding; ++i) {
      all.push_back(MakeSequence(static_cast<uint64_t>(i), 1, 50));
      scheduler.Add(all.back().get());
    }
    Run(&scheduler, scheduler.Schedule());
    const auto decodes = scheduler.Decodes();
    REQUIRE(static_cast<int>(decodes.size()) == decoding);
    for (Sequence* sequence : decodes) {
      sequence->draft_tokens.assign(static_cast<size_t>(pick(0, 12)), 0);
    }
    const bool waits = pick(0, 1) == 1;
    all.push_back(MakeSequence(99, 30, 1));
    if (waits) scheduler.Add(all.back().get());

    int tokens = 0, rows = 0, prompt_tokens = 0, drafts = 0;
    const auto& step = scheduler.Schedule();
    for (const ScheduledSequence& share : step) {
      tokens += share.count + share.num_draft_tokens;
      rows += share.logits_rows();
      drafts += share.num_draft_tokens;
      if (share.sequence == all.back().get()) prompt_tokens += share.count;
    }
    CAPTURE(round);
    CHECK(tokens <= config.max_num_batched_tokens);
    CHECK(rows <= config.max_logits_rows);
    for (const Sequence* sequence : decodes) {
      CHECK(std::any_of(step.begin(), step.end(), [&](const ScheduledSequence& share) {
        return share.sequence == sequence;
      }));
    }
    const bool room = decoding < most && decoding < config.max_num_batched_tokens;
    if (waits) CHECK((prompt_tokens > 0) == room);
    if (prompt_tokens > 0) drafts_beside_prompts += drafts;
  }
  CHECK(drafts_beside_prompts > 0);
}

}  // namespace
}  // namespace edgegate
