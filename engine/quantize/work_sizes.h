// The expected time of the steps of quantizing. The unit is a nanosecond of one processor, as
// measured with AVX-512; only the ratios matter.
#pragma once

namespace edgegate {

inline constexpr double kFlopWork = 1.0 / 128;  // one operation of a product of large matrices
inline constexpr double kExpWork = 2;           // one exponential and its part of a softmax
inline constexpr double kGeluWork = 20;         // one tanh
inline constexpr double kConvertWork = 0.5;     // reading a weight and writing it in 16 bits
inline constexpr double kInt8Work = 1.5;        // reading, scaling, rounding, packing and writing
inline constexpr double kInt4SearchWork = 60;   // finding the 4-bit group of a weight
inline constexpr double kSmallFlopWork = 1.0 / 90;  // one operation of GPTQ's products

// Returns the work of an INT8 linear layer, from reading to writing, calibrated with `tokens` rows.
inline double Int8LinearWork(double rows, double columns, double tokens) {
  const double weights = rows * columns;
  return 2 * tokens * weights * kFlopWork + weights * kInt8Work;
}
// Returns the work of a 4-bit linear layer, without the statistics of its inputs.
inline double Int4LinearWork(double rows, double columns, double tokens) {
  const double weights = rows * columns;
  return Int8LinearWork(rows, columns, tokens) + weights * kInt4SearchWork +
         weights * columns * kSmallFlopWork;
}

// Returns the work of the statistics of a linear layer's inputs that rounding to 4 bits needs: the
// products of the columns, and their Cholesky factor.
inline double Int4StatisticsWork(double columns, double tokens) {
  return (tokens + columns / 3) * columns * columns * kSmallFlopWork;
}

}  // namespace edgegate
