// Operations on rows: epilogues of INT8 products, quantization, norms and activations. They are
// vectorized, and all are thread-safe. Rows are float. The results for finite numbers have the same
// bits on each instruction set: sums have one order (isa/fixed_sum-inl.h), and exponentials are
// computed by the same operations (isa/exp2-inl.h).
//
// An epilogue converts exact s32 sums to float. It subtracts the zero point, applies the scales,
// adds the bias, and stores, adds or gates the values. Its arithmetic is the same for each element
// and for each backend that computed the sums.
#pragma once

#include <cstdint>

namespace edgegate {

// The terms of the columns of a tile: pointers to the first column's entry. A view.
struct ColumnTerms {
  const float* scale = nullptr;
  const int32_t* column_sum = nullptr;
  const float* bias = nullptr;  // null: no bias
};

// Compute value[c] = float(acc[c] - zero_point * column_sum[c]) * (row_scale * scale[c]) + bias[c].
// EpilogueStore writes the values to `out`. EpilogueAdd adds them to `out`. `columns` is any
// number. `acc` must be readable up to the next multiple of 16.
void EpilogueStore(const int32_t* acc, int columns, float row_scale, int32_t zero_point,
                   const ColumnTerms& terms, float* out);
void EpilogueAdd(const int32_t* acc, int columns, float row_scale, int32_t zero_point,
                 const ColumnTerms& terms, float* out);
// Sets out[c] = silu(gate value[c]) * up value[c] for `blocks` blocks of `columns` columns. Gate
// and up blocks alternate: the next block of each kind, and its terms, is 2 * columns further.
void EpilogueSwiGlu(const int32_t* gate, const int32_t* up, int blocks, int columns,
                    float row_scale, int32_t zero_point, const ColumnTerms& gate_terms,
                    const ColumnTerms& up_terms, float* out);

// Sets out[c] = gelu(value[c]), in the tanh form.
void EpilogueGelu(const int32_t* acc, int columns, float row_scale, int32_t zero_point,
                  const ColumnTerms& terms, float* out);

// Quantizes one row, float [columns], to u8, and sets its scale and zero point. The range covers
// the values and zero. Writes zeros from `columns` to `padded`.
void QuantizeRow(const float* x, int columns, int padded, uint8_t* out, float* scale,
                 int32_t* zero_point);

// RMSNorm (Zhang and Sennrich 2019, arXiv:1910.07467). Sets out = x / sqrt(mean(x^2) + eps) *
// weight.
void RmsNormRow(const float* x, const float* weight, int columns, float eps, float* out);

// LayerNorm (Ba et al. 2016, arXiv:1607.06450). Sets
// out = (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias. `out` may be `x`.
void LayerNormRow(const float* x, const float* weight, const float* bias, int columns, float eps,
                  float* out);

// AddRow sets out += x. SwiGluRow sets out = silu(gate) * up. GeluRow sets x = gelu(x) in the tanh
// form. The results equal those of the epilogues on the same values.
void AddRow(const float* x, int columns, float* out);
void SwiGluRow(const float* gate, const float* up, int columns, float* out);
void GeluRow(float* x, int columns);

// Sets x = gelu(x), in the exact form: x / 2 * (1 + erf(x / sqrt(2))).
void GeluErfRow(float* x, int columns);

}  // namespace edgegate
