// Turns a scheduled step into the flat batch that a ModelRunner computes.
#pragma once

#include <vector>

#include "engine/model/model_runner.h"
#include "scheduler/scheduler.h"

namespace edgegate {

// Replaces the contents of `batch` by the step's tokens, spans, logits rows and image rows. The
// spans refer to the sequences' block tables, and the image rows to the encoded images of their
// requests: both must stay unchanged until the batch has been computed.
void BuildBatch(const std::vector<ScheduledSequence>& step, const RunnerLimits& limits,
                ForwardBatch* batch);

}  // namespace edgegate
