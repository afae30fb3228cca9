// The kernel for ARMv8.0, which has no dot products of bytes.

#if defined(__aarch64__)

#include <cstring>

#include "engine/ops/isa/arm_dot.h"
#include "engine/ops/linear/int4/kernel.h"
#include "engine/ops/linear/int4/weights.h"

#define EG_ISA EG_ARM_INLINE
#define EG_ISA_NOINLINE

namespace edgegate {
namespace {

constexpr int kLanes = 4;
using Bytes = int8x16_t;
using Int = int32x4_t;
using Float = float32x4_t;
// The sums of four columns. Each column has four lanes.
struct Pairs {
  int16x8_t low, high;
};

EG_ISA void AddProducts(Bytes levels, Bytes activations, Pairs* sums) {
  sums->low = vmlal_s8(sums->low, vget_low_s8(levels), vget_low_s8(activations));
  sums->high = vmlal_high_s8(sums->high, levels, activations);
}

EG_ISA Pairs ZeroPairs() { return {vdupq_n_s16(0), vdupq_n_s16(0)}; }
EG_ISA Bytes Load(const uint8_t* p) { return vreinterpretq_s8_u8(vld1q_u8(p)); }
EG_ISA Bytes LowHalves(Bytes bytes) { return vandq_s8(bytes, vdupq_n_s8(15)); }
EG_ISA Bytes HighHalves(Bytes bytes) {
  return vreinterpretq_s8_u8(vshrq_n_u8(vreinterpretq_u8_s8(bytes), 4));
}
EG_ISA Bytes Broadcast(const int8_t* quad) {
  int32_t value;
  std::memcpy(&value, quad, 4);
  return vreinterpretq_s8_s32(vdupq_n_s32(value));
}
EG_ISA Int WidenPairs(Pairs pairs) {
  return vpaddq_s32(vpaddlq_s16(pairs.low), vpaddlq_s16(pairs.high));
}
EG_ISA Int AddInt(Int a, Int b) { return vaddq_s32(a, b); }

EG_ISA Float ToFloat(Int x) { return vcvtq_f32_s32(x); }
EG_ISA Float LoadHalves(const uint8_t* p) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p))); }
EG_ISA Float LoadFloat(const float* p) { return vld1q_f32(p); }
EG_ISA void StoreFloat(float* p, Float x) { vst1q_f32(p, x); }
EG_ISA Float SetFloat(float x) { return vdupq_n_f32(x); }
EG_ISA Float Mul(Float a, Float b) { return vmulq_f32(a, b); }
EG_ISA Float MulAdd(Float a, Float b, Float c) { return vfmaq_f32(c, a, b); }

#include "engine/ops/linear/int4/pair_kernel-inl.h"

}  // namespace

void Int4TileNeon(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                  float* sums) {
  kTiles[count - 1](rows, first, block, groups, sums);
}

}  // namespace edgegate

#endif
