// Quantizes a row of floats to s8 for INT8 attention. The file is included once for each of
// Highway's targets, as Highway's own contrib/*-inl.h are.
#if defined(EDGEGATE_SIGNED_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGEGATE_SIGNED_ROW_INL_H_
#undef EDGEGATE_SIGNED_ROW_INL_H_
#else
#define EDGEGATE_SIGNED_ROW_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>

#include "engine/ops/attention/int8_attention.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

// The factor that maps a row's largest magnitude to 127, and its inverse.
struct Scale {
  float to, from;
};
// Returns the scale of a row whose largest magnitude is `largest`.
HWY_INLINE Scale ScaleOf(float largest) {
  // All values are zero, or one is not finite. The sampler reports values that are not finite.
  if (!(largest > 1e-30f) || !(largest < 1e30f)) return {0.0f, 0.0f};
  return {127.0f / largest, largest / 127.0f};
}

struct SignedRow {
  float scale;  // value of one step of the s8
  int32_t sum;  // sum of the s8
};

// Quantizes a row of `columns` floats to s8 plus `offset`. Fills the last vector with `offset`.
// `out` must have room for 16 more bytes.
HWY_INLINE SignedRow QuantizeSigned(const float* x, int columns, int offset, uint8_t* out) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::CappedTag<float, 16> f;
  const hn::RebindToSigned<decltype(f)> i32;
  const hn::Rebind<uint8_t, decltype(f)> u8;
  const int lanes = static_cast<int>(hn::Lanes(f)), whole = columns / lanes * lanes;
  HWY_ALIGN float last[16] = {};
  std::copy_n(x + whole, columns - whole, last);
  auto largest = hn::Abs(hn::Load(f, last));
  for (int c = 0; c < whole; c += lanes) largest = hn::Max(largest, hn::Abs(hn::LoadU(f, x + c)));
  const Scale scale = ScaleOf(hn::GetLane(hn::MaxOfLanes(f, largest)));
  const auto factor = hn::Set(f, scale.to);
  // Stores signed bytes as u8 with the same bits, because then no saturation is needed.
  const auto add = hn::Set(i32, offset), low = hn::Set(i32, 0xff);
  auto sum = hn::Zero(i32);
  for (int c = 0; c < columns; c += lanes) {
    const auto level = hn::NearestInt(hn::Mul(hn::LoadU(f, c < whole ? x + c : last), factor));
    sum = hn::Add(sum, level);
    hn::StoreU(hn::DemoteTo(u8, hn::And(hn::Add(level, add), low)), u8, out + c);
  }
  return {scale.from, hn::GetLane(hn::SumOfLanes(i32, sum))};
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#endif
