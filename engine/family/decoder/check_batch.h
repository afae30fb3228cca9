// Checks a batch against the contract of ModelRunner before any memory is touched.
#pragma once

#include "engine/base/status.h"
#include "engine/model/model_runner.h"

namespace edgegate {

// kInternal where the batch breaks the contract: that is a bug of the scheduler. kUnimplemented
// where it asks for what a decoder of these limits and `num_layers` layers does not have.
Status CheckBatch(const ForwardBatch& batch, const RunnerLimits& limits, int num_layers);

}  // namespace edgegate
