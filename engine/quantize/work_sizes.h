// The expected time of the steps of quantizing. The unit is a nanosecond of one processor, as
// measured with AVX-512; only the ratios matter.
#pragma once

namespace edgegate {

inline constexpr double kFlopWork = 1.0 / 128;  // of a product of large matrices
inline constexpr double kExpWork = 2;           // an exponential of a softmax, with the rest of it
inline constexpr double kGeluWork = 20;         // tanh
inline constexpr double kConvertWork = 0.5;     // reading a weight and writing it in 16 bits
inline constexpr double kInt8Work = 1.5;        // reading, scaling, rounding, packing and writing
inline constexpr double kInt4SearchWork = 60;   // finding the 4-bit group of a weight
inline constexpr double kSmallFlopWork = 1.0 / 90;  // of the products of GPTQ

// A linear layer, from reading it to writing it, calibrated with `tokens` rows.
inline double Int8LinearWork(double rows, double columns, double tokens) {
  const double weights = rows * columns;
  return 2 * tokens * weights * kFlopWork + weights * kInt8Work;
}
inline double Int4LinearWork(double rows, double columns, double tokens) {
  const double weights = rows * columns;
  return Int8LinearWork(rows, columns, tokens) + weights * kInt4SearchWork +
         weights * columns * kSmallFlopWork;
}

// The statistics of a linear layer's inputs that rounding to 4 bits needs: products of the columns,
// and their Cholesky factor.
inline double Int4LearnWork(double columns, double tokens) {
  return (tokens + columns / 3) * columns * columns * kSmallFlopWork;
}

}  // namespace edgegate
