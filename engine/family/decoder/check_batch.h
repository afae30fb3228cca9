// Checks a batch against the contract of ModelRunner before any memory is touched.
#pragma once

#include "engine/base/status.h"
#include "engine/model/model_runner.h"

namespace edgegate {

// Checks a batch for a decoder of these limits and `num_layers` layers. kInternal: the batch breaks
// the contract, which is a bug of the scheduler. kUnimplemented: it requests something that such a
// decoder does not support. Thread-safe.
Status CheckBatch(const ForwardBatch& batch, const RunnerLimits& limits, int num_layers);

}  // namespace edgegate
