// Softmax in float32, for calibration.
#pragma once

#include <cstdint>

namespace edgegate {

// Replaces each x of `rows` rows of `n` values, `stride` floats apart, by exp(x - maximum of the
// row), divided by the sum of the row. Sums add the values of a row in their order, one after the
// other. Computes on the calling thread.
void SoftmaxRows(float* x, int64_t stride, int rows, int n);

// Sets x[i] = exp(x[i] - shift), for values of at most `shift`. The algorithm and its constants are
// those of expf in Arm's Optimized Routines and in the GNU C library: 2^k times a table of 2^(i/32)
// times a polynomial of degree 3, in double. Products and sums are rounded one by one, so that each
// processor gives the same bits.
void ExpBelow(float shift, float* x, int n);

}  // namespace edgegate
