// A model as the API serves it: its name, its text side, and its place in the engine loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/model_config.h"
#include "engine/model/model_runner.h"
#include "engine/text/chat_template.h"
#include "engine/text/grammar.h"
#include "engine/text/tokenizer.h"

namespace edgegate {

// Immutable once served: any thread may read it.
struct ServedModel {
  std::string name;
  int engine_index = 0;
  int64_t created = 0;  // seconds since 1970
  RunnerLimits limits;
  int max_images = 1;  // of one request, where the model takes pictures
  GenerationDefaults defaults;
  std::vector<int32_t> eos_token_ids;
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<ChatTemplate> chat_template;  // null: the model has none
  std::unique_ptr<Grammars> grammars;           // null: none can be asked for
};

}  // namespace edgegate
