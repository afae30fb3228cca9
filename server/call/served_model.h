// A model as the API serves it: its name, its text side, and its place in the engine loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/model_config.h"
#include "engine/model/model_runner.h"
#include "server/worker/model_text.h"

namespace edgegate {

// Fixed once served: any thread may read it, and use `text`.
struct ServedModel {
  std::string name;
  int engine_index = 0;
  int64_t created = 0;  // seconds since 1970
  RunnerLimits limits;
  int max_images = 1;  // of one request, where the model takes images
  GenerationDefaults defaults;
  std::vector<int32_t> eos_token_ids;
  std::unique_ptr<ModelText> text;
};

}  // namespace edgegate
