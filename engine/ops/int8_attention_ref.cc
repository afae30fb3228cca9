#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/ops/int8_attention.h"

namespace edgegate {
namespace {

double Quantized(float x, float largest) {
  return std::nearbyint(double{x} * 127.0 / double{largest}) * double{largest} / 127.0;
}

}  // namespace

void AttendInt8Reference(const Int8AttentionTask& task) {
  const int dim = task.head_dim, padded = Int8KvTile::padded_dim(dim);
  const auto tile_of = [&](int position) {
    return Int8KvTile::At(task.tiles + position / kAttentionTile * Int8KvTile::Bytes(dim), dim);
  };
  for (int row = 0; row < task.rows; ++row) {
    const float* q = task.q + row * task.stride;
    float largest = 0;
    for (int d = 0; d < dim; ++d) largest = std::max(largest, std::fabs(q[d]));
    std::vector<double> weights;
    for (int p = 0; p < task.positions; ++p) {
      const Int8KvTile tile = tile_of(p);
      const int at = p % kAttentionTile;
      double score = 0;
      for (int d = 0; d < dim && largest > 0; ++d) {
        const int key =
            tile.keys[(d / 4 * kAttentionTile + at) * 4 + d % 4] - Int8KvTile::kKeyOffset;
        score += Quantized(q[d], largest) * key;
      }
      weights.push_back(score * double{tile.key_scales[at]} * double{task.scale});
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
