// Softmax in float32, for calibration.
#pragma once

#include <cstdint>

namespace edgegate {

// Replaces each of `rows` rows of `n` values, `stride` apart, by exp(x - its maximum), divided by
// their sum. Sums run over a row in its order, one addition after the other. On the calling thread.
void SoftmaxRows(float* x, int64_t stride, int rows, int n);

// x[i] = exp(x[i] - shift) for values of at most `shift`. The algorithm and its constants are those
// of expf in Arm's Optimized Routines and in the C library of GNU (2^k times a table of 2^(i/32)
// times a polynomial of degree 3, in double), so that the bits are those of std::exp there.
void ExpBelow(float shift, float* x, int n);

}  // namespace edgegate
