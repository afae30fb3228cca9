// Turns a scheduled step into the flat batch that a ModelRunner computes.
#pragma once

#include <vector>

#include "engine/model/model_runner.h"
#include "scheduler/scheduler.h"

namespace edgegate {

// Replaces the contents of `batch` by the step's tokens, spans, logits rows, media rows and, where
// the model has several axes, positions. The spans refer to the sequences' block tables, and the
// media rows to the encoded items of their requests: both must stay unchanged until the batch has
// been computed.
void BuildBatch(const std::vector<ScheduledSequence>& step, const RunnerLimits& limits,
                ForwardBatch* batch);

}  // namespace edgegate
