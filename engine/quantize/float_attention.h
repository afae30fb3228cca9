// Attention without a mask, and GELU, in float32.
#pragma once

#include <vector>

namespace edgegate {

// Returns softmax(q . k / sqrt(dim)) . v of each head, float [n][width]. `q`, `k` and `v` are float
// [n][width]. A head has width / num_heads columns (dim). Every row attends to all rows. Computes
// in parallel. The bytes do not depend on the number of threads.
std::vector<float> AttendAllFloat(const std::vector<float>& q, const std::vector<float>& k,
                                  const std::vector<float>& v, int width, int num_heads);

// Return GELU of x (Hendrycks and Gimpel 2016, arXiv:1606.08415): its approximation by tanh, and
// with the error function.
float GeluTanhFloat(float x);
float GeluErfFloat(float x);

}  // namespace edgegate
