// Operations on rows: epilogues of INT8 products, quantization, norms and activations. Vectorized.
// All functions are thread-safe.
//
// An epilogue turns exact s32 sums into float: it subtracts the zero point, applies the scales,
// adds the bias, and stores, adds or gates the values. Its arithmetic is the same for each element
// and for each backend that computed the sums.
#pragma once

#include <cstdint>

namespace edgegate {

// Terms of the columns of a tile: pointers to the first column's entry.
struct ColumnTerms {
  const float* scale = nullptr;
  const int32_t* column_sum = nullptr;
  const float* bias = nullptr;  // or null
};

// value[c] = float(acc[c] - zero_point * column_sum[c]) * (row_scale * scale[c]) + bias[c].
// EpilogueStore writes the values to `out`, EpilogueAdd adds them. `columns` is any number; acc
// must be readable up to the next multiple of 16.
void EpilogueStore(const int32_t* acc, int columns, float row_scale, int32_t zero_point,
                   const ColumnTerms& terms, float* out);
void EpilogueAdd(const int32_t* acc, int columns, float row_scale, int32_t zero_point,
                 const ColumnTerms& terms, float* out);
// out[c] = silu(gate value[c]) * up value[c] for `blocks` blocks of `columns` columns. Blocks of
// gates and ups alternate: the next block of each, and its terms, is 2 * columns further.
void EpilogueSwiGlu(const int32_t* gate, const int32_t* up, int blocks, int columns,
                    float row_scale, int32_t zero_point, const ColumnTerms& gate_terms,
                    const ColumnTerms& up_terms, float* out);

// out[c] = gelu(value[c]), the tanh form.
void EpilogueGelu(const int32_t* acc, int columns, float row_scale, int32_t zero_point,
                  const ColumnTerms& terms, float* out);

// Quantizes one row of float to u8, with its scale and zero point. The range is that of the values
// and zero. Writes zeros from `columns` to `padded`.
void QuantizeRow(const float* x, int columns, int padded, uint8_t* out, float* scale,
                 int32_t* zero_point);

// out = x / sqrt(mean(x^2) + eps) * weight.
void RmsNormRow(const float* x, const float* weight, int columns, float eps, float* out);

// out = (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias. May be in place.
void LayerNormRow(const float* x, const float* weight, const float* bias, int columns, float eps,
                  float* out);

// out += x, out = silu(gate) * up, and x = gelu(x) in the tanh form. They equal the epilogues on
// the same values.
void AddRow(const float* x, int columns, float* out);
void SwiGluRow(const float* gate, const float* up, int columns, float* out);
void GeluRow(float* x, int columns);

// x = gelu(x), the exact form: x / 2 * (1 + erf(x / sqrt(2))).
void GeluErfRow(float* x, int columns);

}  // namespace edgegate
