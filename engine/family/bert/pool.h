// Pools the rows of a text to its embedding.
#pragma once

#include <algorithm>
#include <vector>

#include "engine/model/embedding_config.h"
#include "engine/model/text_encoder.h"

namespace edgegate::bert {

// Writes the embedding of `tokens` rows, float [tokens][width], to `out`, float [width]. The mean
// adds the rows in order, in double. Computes on the calling thread.
inline void PoolRows(const EmbeddingConfig& config, const float* rows, int tokens, int width,
                     float* out) {
  if (config.pooling == Pooling::kMean) {
    std::vector<double> sums(static_cast<size_t>(width));
    for (int t = 0; t < tokens; ++t) {
      for (int i = 0; i < width; ++i) sums[i] += double{rows[int64_t{t} * width + i]};
    }
    for (int i = 0; i < width; ++i) out[i] = static_cast<float>(sums[i] / tokens);
  } else {
    const int row = config.pooling == Pooling::kFirst ? 0 : tokens - 1;
    std::copy_n(rows + int64_t{row} * width, width, out);
  }
  if (config.normalize) NormalizeEmbedding(out, width);
}

}  // namespace edgegate::bert
