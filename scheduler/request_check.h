// Validation of a request against the limits of the model.
#pragma once

#include "engine/base/status.h"
#include "engine/model/model_runner.h"
#include "scheduler/request.h"

namespace edgegate {

// kInvalidArgument if the model can never serve the request: an empty prompt, a token id outside of
// the vocabulary, too many sequences or alternatives, or more tokens than the model's context or
// KV pool hold. kInternal if the images do not match the prompt. Thread-safe.
Status CheckRequest(const GenerationRequest& request, const RunnerLimits& limits);

}  // namespace edgegate
