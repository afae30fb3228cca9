// A model that the API serves: its name, its tokenizer and template, and its index in the engine
// loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/model_config.h"
#include "engine/model/model_runner.h"
#include "server/worker/model_text.h"

namespace edgegate {

// Facts about a model for clients. 0: not known.
struct ModelFacts {
  int64_t parameters = 0;    // of the model's files
  int64_t weight_bytes = 0;  // of the weights in the layout that the engine computes in
  int trained_context = 0;   // tokens
  int width = 0;             // floats of a hidden state
  int max_sequences = 0;     // that run at once
};

// Immutable while it is served. Any thread may read it and call `text`.
struct ServedModel {
  std::string name;
  int engine_index = 0;
  int64_t created = 0;  // seconds since 1970
  // Identifies what determines an answer's bytes beside the request: the weights, the kernels and
  // the version. "fp_" and 12 hexadecimal digits.
  std::string fingerprint;
  RunnerLimits limits;
  // Components of an embedding. 0: the model generates text. Otherwise it computes embeddings only;
  // of `limits`, the sizes of the vocabulary and of the context are set.
  int embedding_width = 0;
  int max_images = 20;  // of one request, where the model takes images
  GenerationDefaults defaults;
  std::vector<int32_t> eos_token_ids;
  std::vector<uint32_t> valid_tokens;  // see ValidTokens
  ModelFacts facts;
  std::unique_ptr<ModelText> text;
};

}  // namespace edgegate
