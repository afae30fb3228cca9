// The way in which a model makes an embedding of a text: one vector from the rows of its tokens.
// The values are those of the files that sentence-transformers writes (modules.json,
// 1_Pooling/config.json).
#pragma once

#include <cstdint>

namespace edgegate {

enum class Pooling : uint8_t {
  kMean,   // the mean of all rows
  kFirst,  // the row of the first token ([CLS])
  kLast,   // the row of the last token
};

struct EmbeddingConfig {
  Pooling pooling = Pooling::kMean;
  bool normalize = true;  // scale the vector to length 1
  // Maximum number of tokens of a text, special tokens included. 0: the positions of the model.
  int max_tokens = 0;
};

}  // namespace edgegate
