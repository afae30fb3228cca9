// A request as the engine loop keeps it: its sequences, and what they share.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "engine/sampling/sampler.h"
#include "scheduler/admission_limiter.h"
#include "scheduler/generation_stream.h"
#include "scheduler/image_queue.h"
#include "scheduler/request.h"
#include "scheduler/scheduler.h"

namespace edgegate {

struct SequenceGroup;

// A request's sequence and what belongs to it alone.
struct GroupSequence : Sequence {
  SequenceGroup* group = nullptr;
  int index = 0;  // in the request; added to the request's seed
  TokenCounts counts;
  std::unique_ptr<TokenConstraint> constraint;  // null: none
  bool awaits_mask = false;  // a step had no mask for it: it is paused until there is one
  bool admitted = false;     // it was in a step, and no longer holds a place of the ticket
  std::vector<SampledToken> prompt_logprobs;
};

struct SequenceGroup : ImageQueue::Client {
  using Clock = std::chrono::steady_clock;

  // Without its prompt, images and stop ids, which are kept below.
  GenerationRequest request;
  std::vector<int32_t> stop_ids;    // ascending, each once
  std::vector<int32_t> prompt_ids;  // the prompt's distinct ids, ascending, where penalties need it
  std::shared_ptr<GenerationStream> events;
  std::vector<std::unique_ptr<GroupSequence>> sequences;
  AdmissionTicket ticket;
  int unfinished = 0;
  int preemptions = 0;
  int drafted = 0;   // draft tokens computed
  int accepted = 0;  // draft tokens accepted
  Clock::time_point submitted, first_scheduled, first_token, last_token;
};

// Prepares all that takes longer the more the client sent: stop ids and logit biases are sorted,
// constraints cloned. For the thread that submits, so that the engine loop does little for each
// request. Ids outside of the vocabulary are dropped from stop ids and biases. The biases of one id
// are added up.
std::unique_ptr<SequenceGroup> MakeSequenceGroup(GenerationRequest request,
                                                 std::shared_ptr<GenerationStream> events,
                                                 SequenceGroup::Clock::time_point submitted,
                                                 const RunnerLimits& limits);

}  // namespace edgegate
