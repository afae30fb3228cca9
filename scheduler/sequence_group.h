// A request in the engine loop: its sequences and their shared state.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "scheduler/admission_limiter.h"
#include "scheduler/branch_scores.h"
#include "scheduler/generation_stream.h"
#include "scheduler/media_positions.h"
#include "scheduler/media_queue.h"
#include "scheduler/request.h"
#include "scheduler/sequence.h"

namespace edgegate {

// Used by the engine loop's thread, once it was handed over.
struct SequenceGroup {
  using Clock = std::chrono::steady_clock;

  // The request, without its prompt, media, stop ids and constraint.
  GenerationRequest request;
  std::vector<int32_t> stop_ids;    // ascending, without duplicates
  std::vector<int32_t> prompt_ids;  // the same of the prompt; empty if no penalty needs it
  MediaQueue::Client media;         // the items, and their rows as they are encoded
  MediaPositions positions;         // of the tokens, where the model has several axes
  std::shared_ptr<GenerationStream> events;
  std::vector<std::unique_ptr<Sequence>> sequences;
  std::unique_ptr<BranchScores> scores;  // null: the request has no branches
  AdmissionTicket ticket;                // a place for each sequence that was in no step yet
  int unfinished = 0;                    // sequences, and branches that have none yet
  int preemptions = 0;
  int draft_tokens = 0;
  int accepted_tokens = 0;
  Clock::time_point submitted, first_scheduled, first_token, last_token;
};

// Prepares a request: sorts stop ids and logit biases, clones constraints, reserves memory. This
// takes time in proportion to the request, so it runs on the thread that submits and not in the
// engine loop. Ids outside of the vocabulary are dropped from stop ids and biases. Several biases
// of one id are added.
std::unique_ptr<SequenceGroup> MakeSequenceGroup(GenerationRequest request,
                                                 std::shared_ptr<GenerationStream> events,
                                                 SequenceGroup::Clock::time_point submitted,
                                                 const RunnerLimits& limits);

}  // namespace edgegate
