#include "scheduler/step_pace.h"

#include <doctest/doctest.h>

#include <limits>

#include "scheduler/scheduler.h"

namespace edgegate {
namespace {

using std::chrono::milliseconds;

constexpr int kUnlimited = std::numeric_limits<int>::max();

TEST_CASE("without measurements a step takes all tokens") {
  StepPace pace(milliseconds(0));
  CHECK(pace.PromptTokens(pace.Spare(1, 1)) == kUnlimited);
  pace.Learn({.prompt_tokens = 100}, milliseconds(200));
  CHECK(pace.PromptTokens(pace.Spare(1, 1)) == kUnlimited);
  pace.Learn({.decodes = 1}, milliseconds(40));
  CHECK(pace.PromptTokens(pace.Spare(1, 1)) < 100);
}

TEST_CASE("a step with a prompt takes less than three baseline steps") {
  StepPace pace(milliseconds(0));
  pace.Learn({.prompt_tokens = 100}, milliseconds(200));  // 2 ms a token
  for (int i = 0; i < 20; ++i) pace.Learn({.decodes = 1}, milliseconds(40));
  const int tokens = pace.PromptTokens(pace.Spare(1, 1));
  CHECK(tokens >= 20);
  CHECK(40 + 2 * tokens < 120);
}

TEST_CASE("prompts get more of a step while more sequences wait than run, up to 50 ms") {
  StepPace small(milliseconds(0)), large(milliseconds(0));
  for (int i = 0; i < 100; ++i) {
    small.Learn({.decodes = 1}, milliseconds(4));
    large.Learn({.decodes = 1}, milliseconds(40));
  }
  CHECK(small.Spare(1, 1) == small.Spare(8, 0));
  CHECK(small.Spare(8, 8) == small.Spare(8, 0));
  CHECK(small.Spare(8, 16) == milliseconds(16));
  CHECK(small.Spare(1, 60) == milliseconds(46));
  CHECK(large.Spare(1, 60) == large.Spare(1, 0));
}

TEST_CASE("engine.target_itl_ms limits the step") {
  StepPace pace(milliseconds(100));
  pace.Learn({.prompt_tokens = 100}, milliseconds(200));
  pace.Learn({.decodes = 1}, milliseconds(40));
  CHECK(pace.Spare(1, 1) == milliseconds(60));
  CHECK(pace.PromptTokens(pace.Spare(1, 1)) == 30);
  SUBCASE("a target below the decode time still lets prompts progress") {
    for (int i = 0; i < 100; ++i) pace.Learn({.decodes = 1}, milliseconds(300));
    CHECK(pace.Spare(1, 1) == milliseconds(0));
    CHECK(pace.PromptTokens(pace.Spare(1, 1)) > 0);
  }
}

TEST_CASE("the cost of a prompt token is learned beside decodes") {
  StepPace pace(milliseconds(0));
  pace.Learn({.decodes = 1}, milliseconds(40));
  for (int i = 0; i < 50; ++i)
    pace.Learn({.decodes = 1, .prompt_tokens = 10}, milliseconds(40 + 30));
  CHECK(pace.PromptTokens(milliseconds(90)) == 30);
  CHECK(pace.baseline_itl() == milliseconds(40));
}

TEST_CASE("draft tokens lengthen a step but not the baseline") {
  StepPace pace(milliseconds(0));
  pace.Learn({.decodes = 1, .draft_tokens = 2}, milliseconds(60));
  CHECK(pace.baseline_itl() == milliseconds(60));
  for (int i = 0; i < 100; ++i) pace.Learn({.decodes = 1}, milliseconds(40));
  const auto baseline = pace.baseline_itl();
  CHECK(baseline < milliseconds(41));
  for (int i = 0; i < 100; ++i) pace.Learn({.decodes = 1, .draft_tokens = 2}, milliseconds(60));
  CHECK(pace.baseline_itl() == baseline);
  for (int i = 0; i < 100; ++i) pace.Learn({.decodes = 1, .draft_tokens = 2}, milliseconds(30));
  CHECK(pace.baseline_itl() < milliseconds(31));
}

TEST_CASE("the cost of long encoder slices is kept over short ones and decays") {
  StepPace pace(milliseconds(0));
  pace.LearnSlice(milliseconds(20));
  for (int i = 0; i < 9; ++i) pace.LearnSlice(milliseconds(5));
  CHECK(pace.slice_time() > milliseconds(15));
  CHECK(pace.slice_time() <= milliseconds(20));
  for (int i = 0; i < 300; ++i) pace.LearnSlice(milliseconds(5));
  CHECK(pace.slice_time() < milliseconds(6));
}

TEST_CASE("the scheduler keeps the limit of prompt tokens, and decodes go first") {
  Scheduler scheduler({.max_num_seqs = 4,
                       .max_num_batched_tokens = 64,
                       .max_logits_rows = 4,
                       .block_size = 4,
                       .num_blocks = 64});
  Sequence stream, prompt, other;
  int id = 0;
  for (Sequence* s : {&stream, &prompt, &other}) {
    s->id = static_cast<uint64_t>(id++);
    s->prompt_len = s == &stream ? 2 : 20;
    s->tokens.assign(static_cast<size_t>(s->prompt_len), 1);
    s->max_tokens = 8;
  }
  scheduler.Add(&stream);
  CHECK(scheduler.Decodes().empty());
  for (const ScheduledSequence& share : scheduler.Schedule()) scheduler.Advance(share);
  stream.tokens.push_back(1);
  CHECK(scheduler.Decodes() == std::vector<Sequence*>{&stream});
  scheduler.Add(&prompt);
  scheduler.Add(&other);
  const auto step = scheduler.Schedule(7);
  REQUIRE(step.size() == 2);
  CHECK(step[0].sequence == &stream);
  CHECK(step[0].count == 1);
  CHECK(step[1].sequence == &prompt);
  CHECK(step[1].count == 7);
  for (const ScheduledSequence& share : step) scheduler.Advance(share);
  stream.tokens.push_back(1);
  const auto next = scheduler.Schedule(15);
  REQUIRE(next.size() == 3);
  CHECK(next[1].count == 13);
  CHECK(next[2].sequence == &other);
  CHECK(next[2].count == 2);
}

}  // namespace
}  // namespace edgegate
