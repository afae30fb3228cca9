#include "engine/ops/rows/row_ops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/rows/row_ops.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

// Must be included after highway.h.
#include "engine/ops/isa/exp2-inl.h"
#include "engine/ops/isa/fixed_sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::CappedTag<float, 16>;
using I32 = hn::RebindToSigned<F32>;
using VF = hn::Vec<F32>;

// The type of the argument `left` if at least a whole vector of elements remains.
struct Whole {};

// Loads a vector from `p`, of which the first `left` elements exist. Sets the other elements to
// zero.
template <class D, typename T>
HWY_INLINE hn::Vec<D> LoadSome(D d, const T* p, int left) {
  HWY_ALIGN T buffer[16] = {};
  for (int i = 0; i < left; ++i) buffer[i] = p[i];
  return hn::Load(d, buffer);
}
template <class D, typename T>
HWY_INLINE hn::Vec<D> LoadSome(D d, const T* p, Whole) {
  return hn::LoadU(d, p);
}

HWY_INLINE void StoreSome(VF value, float* p, Whole) { hn::StoreU(value, F32(), p); }
HWY_INLINE void StoreSome(VF value, float* p, int left) {
  const F32 d;
  HWY_ALIGN float buffer[16];
  hn::Store(value, d, buffer);
  for (int i = 0; i < left; ++i) p[i] = buffer[i];
}

// Calls part(c, left) for the vectors of columns from column c on. `left` is Whole except for the
// last one.
template <class Part>
HWY_INLINE void ForVectors(int columns, Part part) {
  const int lanes = static_cast<int>(hn::Lanes(F32()));
  int c = 0;
  for (; c + lanes <= columns; c += lanes) part(c, Whole());
  if (c < columns) part(c, columns - c);
}

// Returns the values of one row from column c on. row_ops.h has the formula.
template <class Left>
HWY_INLINE VF Value(const int32_t* acc, int c, Left left, float row_scale, int32_t zero_point,
                    const ColumnTerms& terms) {
  const F32 f;
  const I32 i;
  auto sums = LoadSome(i, terms.column_sum + c, left);
  auto exact = hn::Sub(LoadSome(i, acc + c, left), hn::Mul(hn::Set(i, zero_point), sums));
  VF scale = hn::Mul(hn::Set(f, row_scale), LoadSome(f, terms.scale + c, left));
  VF value = hn::Mul(hn::ConvertTo(f, exact), scale);
  return terms.bias ? hn::Add(value, LoadSome(f, terms.bias + c, left)) : value;
}

void StoreImpl(const int32_t* acc, int columns, float row_scale, int32_t zero_point,
               const ColumnTerms& terms, float* out) {
  ForVectors(columns, [&](int c, auto left) HWY_ATTR {
    StoreSome(Value(acc, c, left, row_scale, zero_point, terms), out + c, left);
  });
}

void AddImpl(const int32_t* acc, int columns, float row_scale, int32_t zero_point,
             const ColumnTerms& terms, float* out) {
  ForVectors(columns, [&](int c, auto left) HWY_ATTR {
    const VF value = Value(acc, c, left, row_scale, zero_point, terms);
    StoreSome(hn::Add(LoadSome(F32(), out + c, left), value), out + c, left);
  });
}

HWY_INLINE VF Silu(VF x) { return hn::Mul(x, Sigmoid(F32(), x)); }

// Returns gelu(x) = x / 2 * (1 + tanh(u)) = x * sigmoid(2u), u = sqrt(2 / pi) * (x + 0.044715 x^3).
HWY_INLINE VF GeluOf(VF x) {
  const F32 f;
  const VF u = hn::Add(hn::Mul(hn::Mul(hn::Mul(x, x), x), hn::Set(f, 0.044715f)), x);
  return hn::Mul(x, Sigmoid(f, hn::Mul(u, hn::Set(f, 1.5957691216057308f))));
}

void SwiGluImpl(const int32_t* gate, const int32_t* up, int blocks, int columns, float row_scale,
                int32_t zero_point, const ColumnTerms& gate_terms, const ColumnTerms& up_terms,
                float* out) {
  for (int first = 0; first < 2 * blocks * columns; first += 2 * columns, out += columns) {
    ForVectors(columns, [&](int c, auto left) HWY_ATTR {
      const VF g = Value(gate, first + c, left, row_scale, zero_point, gate_terms);
      const VF u = Value(up, first + c, left, row_scale, zero_point, up_terms);
      StoreSome(hn::Mul(Silu(g), u), out + c, left);
    });
  }
}

void AddRowImpl(const float* x, int columns, float* out) {
  const F32 f;
  ForVectors(columns, [&](int c, auto left) HWY_ATTR {
    StoreSome(hn::Add(LoadSome(f, out + c, left), LoadSome(f, x + c, left)), out + c, left);
  });
}

void SwiGluRowImpl(const float* gate, const float* up, int columns, float* out) {
  const F32 f;
  ForVectors(columns, [&](int c, auto left) HWY_ATTR {
    const VF g = LoadSome(f, gate + c, left), u = LoadSome(f, up + c, left);
    StoreSome(hn::Mul(Silu(g), u), out + c, left);
  });
}

void GeluImpl(const int32_t* acc, int columns, float row_scale, int32_t zero_point,
              const ColumnTerms& terms, float* out) {
  ForVectors(columns, [&](int c, auto left) HWY_ATTR {
    const VF x = Value(acc, c, left, row_scale, zero_point, terms);
    StoreSome(GeluOf(x), out + c, left);
  });
}

// Returns erf(x) with an error of 5e-7, as x * p(x^2) / q(x^2). The coefficients are those of Eigen
// 3.4 (MathFunctionsImpl.h, generic_fast_erf_float). erf(4) is one in float.
HWY_INLINE VF Erf(VF x) {
  const F32 f;
  const VF inside = hn::Min(hn::Max(x, hn::Set(f, -4.0f)), hn::Set(f, 4.0f));
  const VF square = hn::Mul(inside, inside);
  const auto next = [&](VF p, float coefficient)
                        HWY_ATTR { return hn::Add(hn::Mul(p, square), hn::Set(f, coefficient)); };
  VF p = hn::Set(f, -2.72614225801306e-10f);
  p = next(p, 2.77068142495902e-08f);
  p = next(p, -2.10102402082508e-06f);
  p = next(p, -5.69250639462346e-05f);
  p = next(p, -7.34990630326855e-04f);
  p = next(p, -2.95459980854025e-03f);
  p = next(p, -1.60960333262415e-02f);
  VF q = hn::Set(f, -1.45660718464996e-05f);
  q = next(q, -2.13374055278905e-04f);
  q = next(q, -1.68282697438203e-03f);
  q = next(q, -7.37332916720468e-03f);
  q = next(q, -1.42647390514189e-02f);
  return hn::Div(hn::Mul(inside, p), q);
}

void GeluErfRowImpl(float* x, int columns) {
  const F32 f;
  ForVectors(columns, [&](int c, auto left) HWY_ATTR {
    const VF value = LoadSome(f, x + c, left);
    const VF erf = Erf(hn::Mul(value, hn::Set(f, 0.70710678f)));
    const VF half = hn::Mul(hn::Set(f, 0.5f), value);
    StoreSome(hn::Mul(half, hn::Add(hn::Set(f, 1.0f), erf)), x + c, left);
  });
}

void GeluRowImpl(float* x, int columns) {
  ForVectors(columns, [&](int c, auto left) HWY_ATTR {
    StoreSome(GeluOf(LoadSome(F32(), x + c, left)), x + c, left);
  });
}

void QuantizeImpl(const float* x, int columns, int padded, uint8_t* out, float* scale,
                  int32_t* zero_point) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f));
  VF low0 = hn::Zero(f), low1 = low0, high0 = low0, high1 = low0;
  int c = 0;
  for (; c + 2 * lanes <= columns; c += 2 * lanes) {
    const VF a = hn::LoadU(f, x + c), b = hn::LoadU(f, x + c + lanes);
    low0 = hn::Min(low0, a);
    low1 = hn::Min(low1, b);
    high0 = hn::Max(high0, a);
    high1 = hn::Max(high1, b);
  }
  float smallest = hn::GetLane(hn::MinOfLanes(f, hn::Min(low0, low1)));
  float largest = hn::GetLane(hn::MaxOfLanes(f, hn::Max(high0, high1)));
  for (; c < columns; ++c) {
    smallest = x[c] < smallest ? x[c] : smallest;
    largest = x[c] > largest ? x[c] : largest;
  }
  float step = (largest - smallest) / 255.0f;
  // False if all values are zero, too small to divide by, or not finite. The sampler reports values
  // that are not finite.
  const bool in_range = step > 1e-35f && step < 1e35f;
  if (!in_range) step = 1.0f;
  const float inverse = 1.0f / step;
  const int32_t zero = in_range ? static_cast<int32_t>(std::nearbyintf(-smallest * inverse)) : 0;
  const hn::Rebind<uint8_t, F32> u8;
  const VF vinverse = hn::Set(f, inverse);
  const auto vzero = hn::Set(I32(), zero);
  for (c = 0; c + lanes <= columns; c += lanes) {
    const auto level = hn::NearestInt(hn::Mul(hn::LoadU(f, x + c), vinverse));
    hn::StoreU(hn::DemoteTo(u8, hn::Add(level, vzero)), u8, out + c);
  }
  for (; c < columns; ++c) {
    const float v = std::nearbyintf(x[c] * inverse) + static_cast<float>(zero);
    out[c] = static_cast<uint8_t>(v < 0.0f ? 0.0f : v > 255.0f ? 255.0f : v == v ? v : 0.0f);
  }
  for (; c < padded; ++c) out[c] = 0;
  *scale = step;
  *zero_point = zero;
}

void RmsNormImpl(const float* x, const float* weight, int columns, float eps, float* out) {
  const F32 f;
  const float sum = SumOfTerms(f, x, columns, [](VF v) HWY_ATTR { return hn::Mul(v, v); });
  const float inverse = 1.0f / std::sqrt(sum / static_cast<float>(columns) + eps);
  const VF vinverse = hn::Set(f, inverse);
  ForVectors(columns, [&](int c, auto left) HWY_ATTR {
    const VF value = hn::Mul(LoadSome(f, x + c, left), vinverse);
    StoreSome(hn::Mul(value, LoadSome(f, weight + c, left)), out + c, left);
  });
}

void LayerNormImpl(const float* x, const float* weight, const float* bias, int columns, float eps,
                   float* out) {
  const F32 f;
  const float sum = SumOfTerms(f, x, columns, [](VF v) HWY_ATTR { return v; });
  const VF mean = hn::Set(f, sum / static_cast<float>(columns));
  const float squares = SumOfTerms(f, x, columns, [&](VF v) HWY_ATTR {
    const VF d = hn::Sub(v, mean);
    return hn::Mul(d, d);
  });
  const VF inverse = hn::Set(f, 1.0f / std::sqrt(squares / static_cast<float>(columns) + eps));
  ForVectors(columns, [&](int c, auto left) HWY_ATTR {
    VF value = hn::Mul(hn::Sub(LoadSome(f, x + c, left), mean), inverse);
    value = hn::Mul(value, LoadSome(f, weight + c, left));
    StoreSome(hn::Add(value, LoadSome(f, bias + c, left)), out + c, left);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {

HWY_EXPORT(StoreImpl);
HWY_EXPORT(AddImpl);
HWY_EXPORT(SwiGluImpl);
HWY_EXPORT(QuantizeImpl);
HWY_EXPORT(RmsNormImpl);
HWY_EXPORT(GeluImpl);
HWY_EXPORT(GeluErfRowImpl);
HWY_EXPORT(GeluRowImpl);
HWY_EXPORT(AddRowImpl);
HWY_EXPORT(SwiGluRowImpl);
HWY_EXPORT(LayerNormImpl);

void EpilogueGelu(const int32_t* acc, int columns, float row_scale, int32_t zero_point,
                  const ColumnTerms& terms, float* out) {
  HWY_DYNAMIC_DISPATCH(GeluImpl)(acc, columns, row_scale, zero_point, terms, out);
}

void LayerNormRow(const float* x, const float* weight, const float* bias, int columns, float eps,
                  float* out) {
  HWY_DYNAMIC_DISPATCH(LayerNormImpl)(x, weight, bias, columns, eps, out);
}

void AddRow(const float* x, int columns, float* out) {
  HWY_DYNAMIC_DISPATCH(AddRowImpl)(x, columns, out);
}

void SwiGluRow(const float* gate, const float* up, int columns, float* out) {
  HWY_DYNAMIC_DISPATCH(SwiGluRowImpl)(gate, up, columns, out);
}

void GeluRow(float* x, int columns) { HWY_DYNAMIC_DISPATCH(GeluRowImpl)(x, columns); }

void GeluErfRow(float* x, int columns) { HWY_DYNAMIC_DISPATCH(GeluErfRowImpl)(x, columns); }

void EpilogueStore(const int32_t* acc, int columns, float row_scale, int32_t zero_point,
                   const ColumnTerms& terms, float* out) {
  HWY_DYNAMIC_DISPATCH(StoreImpl)(acc, columns, row_scale, zero_point, terms, out);
}

void EpilogueAdd(const int32_t* acc, int columns, float row_scale, int32_t zero_point,
                 const ColumnTerms& terms, float* out) {
  HWY_DYNAMIC_DISPATCH(AddImpl)(acc, columns, row_scale, zero_point, terms, out);
}

void EpilogueSwiGlu(const int32_t* gate, const int32_t* up, int blocks, int columns,
                    float row_scale, int32_t zero_point, const ColumnTerms& gate_terms,
                    const ColumnTerms& up_terms, float* out) {
  HWY_DYNAMIC_DISPATCH(SwiGluImpl)
  (gate, up, blocks, columns, row_scale, zero_point, gate_terms, up_terms, out);
}

void QuantizeRow(const float* x, int columns, int padded, uint8_t* out, float* scale,
                 int32_t* zero_point) {
  HWY_DYNAMIC_DISPATCH(QuantizeImpl)(x, columns, padded, out, scale, zero_point);
}

void RmsNormRow(const float* x, const float* weight, int columns, float eps, float* out) {
  HWY_DYNAMIC_DISPATCH(RmsNormImpl)(x, weight, columns, eps, out);
}

}  // namespace edgegate
#endif
