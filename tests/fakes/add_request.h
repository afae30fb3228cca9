// Adds a request to a model loop without the engine loop's thread.
#pragma once

#include <memory>
#include <utility>

#include "scheduler/model_loop.h"

namespace edgegate {

using Clock = ModelLoop::Clock;

inline void AddRequest(ModelLoop* loop, GenerationRequest request,
                       std::shared_ptr<GenerationStream> stream) {
  loop->Add(MakeSequenceGroup(std::move(request), std::move(stream), Clock::now(), loop->limits()));
}

}  // namespace edgegate
