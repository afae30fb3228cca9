// The parts that ARM's 4-bit kernels share.
#pragma once

#if defined(__aarch64__)

#include "engine/ops/isa/arm_dot.h"
#include "engine/ops/linear/int4/kernel.h"
#include "engine/ops/linear/int4/weights.h"

namespace edgegate {

// Sixteen bytes of levels, as two operands.
struct ArmLevels {
  int8x16_t low, high;
};

EG_ARM_INLINE ArmLevels LoadLevels(const uint8_t* p) {
  const uint8x16_t bytes = vld1q_u8(p);
  return {vreinterpretq_s8_u8(vandq_u8(bytes, vdupq_n_u8(15))),
          vreinterpretq_s8_u8(vshrq_n_u8(bytes, 4))};
}

// The scales and the minima of four columns.
struct ArmScales {
  float32x4_t scale, minimum;
};

// Loads those of the columns from `column` on. `halves` are the f16 of a group.
EG_ARM_INLINE ArmScales LoadScales(const uint8_t* halves, int column) {
  const uint8_t* p = halves + 2 * column;
  return {vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p))),
          vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p + 2 * kInt8Block)))};
}

// A row's scale and sum of a group.
EG_ARM_INLINE float32x2_t LoadTerms(const Int4Rows::Terms& terms) {
  static_assert(sizeof(Int4Rows::Terms) == sizeof(float32x2_t));
  return vld1_f32(&terms.scale);
}

// Adds the exact products `dot` of a group to four sums at `to`, as kernel.h defines. `row` holds
// the row's terms.
EG_ARM_INLINE void AddGroupTerms(const ArmScales& of, float32x2_t row, int32x4_t dot, float* to) {
  const float32x4_t factor = vmulq_lane_f32(of.scale, row, 0);
  const float32x4_t sum = vfmaq_f32(vld1q_f32(to), factor, vcvtq_f32_s32(dot));
  vst1q_f32(to, vfmaq_lane_f32(sum, of.minimum, row, 1));
}

}  // namespace edgegate

#endif
