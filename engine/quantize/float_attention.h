// Attention without a mask, in float32.
#pragma once

#include <vector>

namespace edgegate {

// Returns softmax(q . k / sqrt(dim)) . v of each head, float [n][width]. `q`, `k` and `v` are float
// [n][width]. A head has width / num_heads columns (dim). Every row attends to all rows. Computes
// in parallel. The bytes do not depend on the number of threads.
std::vector<float> AttendAllFloat(const std::vector<float>& q, const std::vector<float>& k,
                                  const std::vector<float>& v, int width, int num_heads);

}  // namespace edgegate
