#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/ops/attention/int8_attention.h"

namespace edgegate {
void AttendInt8Reference(const Int8AttentionTask& task) {
  const int dim = task.head_dim, padded = Int8KvTile::padded_dim(dim);
  const auto tile_of = [&](int position) {
    return Int8KvTile::At(task.tiles + position / kAttentionTile * Int8KvTile::Bytes(dim), dim);
  };
  for (int row = 0; row < task.rows; ++row) {
    const uint8_t* memory = task.queries + row * Int8Query::Bytes(dim);
    Int8Query query;
    std::memcpy(&query, memory, sizeof(query));
    const auto* q = reinterpret_cast<const int8_t*>(memory + sizeof(query));
    std::vector<double> weights;
    for (int p = 0; p < task.positions; ++p) {
      const Int8KvTile tile = tile_of(p);
      const int at = p % kAttentionTile;
      int score = 0;
      for (int d = 0; d < dim; ++d) {
        const int key =
            tile.keys[(d / 4 * kAttentionTile + at) * 4 + d % 4] - Int8KvTile::kKeyOffset;
        score += q[d] * key;
      }
      weights.push_back(score * double{query.scale} * double{tile.key_scales[at]} *
                        double{task.scale});
    }
    const double most = *std::max_element(weights.begin(), weights.end());
    double total = 0;
    std::vector<double> sums(static_cast<size_t>(dim));
    for (int p = 0; p < task.positions; ++p) {
      const Int8KvTile tile = tile_of(p);
      const int at = p % kAttentionTile;
      const double weight = std::exp(weights[static_cast<size_t>(p)] - most);
      total += weight;
      for (int d = 0; d < dim; ++d) {
        const int quad = at / 64 * 16 + at % 16 / 4 * 4 + at % 64 / 16;
        const int value = tile.values[(quad * padded + d) * 4 + at % 4];
        sums[static_cast<size_t>(d)] += weight * value * double{tile.value_scales[d]};
      }
    }
    for (int d = 0; d < dim; ++d) {
      task.out[row * task.stride + d] = static_cast<float>(sums[static_cast<size_t>(d)] / total);
    }
  }
}

}  // namespace edgegate
