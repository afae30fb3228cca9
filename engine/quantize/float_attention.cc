#include "engine/quantize/float_attention.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/base/ceil_div.h"
#include "engine/base/thread_pool.h"
#include "engine/quantize/float_gemm.h"
#include "engine/quantize/softmax.h"

namespace edgegate {
namespace {

constexpr int kSoftmaxRows = 8;  // rows of one task

}  // namespace

std::vector<float> AttendAllFloat(const std::vector<float>& q, const std::vector<float>& k,
                                  const std::vector<float>& v, int width, int num_heads) {
  const int n = static_cast<int>(q.size()) / width, dim = width / num_heads;
  std::vector<float> out(q.size()), scores(static_cast<size_t>(n) * n);
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  for (int head = 0; head < num_heads; ++head) {
    const int64_t at = int64_t{head} * dim;
    Gemm(n, n, dim, scale, {q.data() + at, width}, {k.data() + at, width, true}, 0.0f,
         scores.data(), n);
    ParallelFor(CeilDiv(n, kSoftmaxRows), [&](int i) {
      const int row = i * kSoftmaxRows;
      SoftmaxRows(scores.data() + int64_t{row} * n, n, std::min(kSoftmaxRows, n - row), n);
    });
    Gemm(n, dim, n, 1.0f, {scores.data(), n}, {v.data() + at, width}, 0.0f, out.data() + at, width);
  }
  return out;
}

}  // namespace edgegate
