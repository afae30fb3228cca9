// The operations on bytes that the kernels of INT8 attention need and that Highway 1.0 lacks. The
// file is included once for each of Highway's targets, as Highway's own contrib/*-inl.h are.
//
// A kernel has a struct of this form. Its dot products are exact.
//   kOffset     0 or 128: the number that is subtracted from u8, because the instruction set has no
//               products of u8 and s8
//   Operand(u)  the first operand for the u8 `u`
//   Dot(acc, operand, s)   adds, to each s32 lane, the four products of its bytes
#if defined(EDGEGATE_BYTE_OPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGEGATE_BYTE_OPS_INL_H_
#undef EDGEGATE_BYTE_OPS_INL_H_
#else
#define EDGEGATE_BYTE_OPS_INL_H_
#endif

#include <hwy/highway.h>

#include "engine/ops/isa/arm_dot.h"
#include "engine/ops/isa/vnni-inl.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// True if the target has a kernel.
#undef EDGEGATE_INT8_ATTENTION
#if (HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128) || HWY_ARCH_ARM_A64
#define EDGEGATE_INT8_ATTENTION 1

using F32 = hn::CappedTag<float, 16>;
using I32 = hn::RebindToSigned<F32>;
using VF = hn::Vec<F32>;
using V32 = hn::Vec<I32>;
using I16 = hn::Repartition<int16_t, F32>;
using U16 = hn::RebindToUnsigned<I16>;
using V16 = hn::Vec<I16>;

// Rounds to the nearest integer with the processor's instruction. On x86, numbers out of range
// become the smallest integer, and on ARM the nearest one. As an exponent (int8_attention.cc) both
// give a weight of zero. So the additional operations of Highway's NearestInt() are not needed.
HWY_INLINE V32 Nearest(VF x) {
#if HWY_ARCH_ARM_A64
  return V32{vcvtnq_s32_f32(x.raw)};
#elif HWY_CAP_GE512
  return V32{_mm512_cvtps_epi32(x.raw)};
#elif HWY_CAP_GE256
  return V32{_mm256_cvtps_epi32(x.raw)};
#else
  return V32{_mm_cvtps_epi32(x.raw)};
#endif
}

// Packs the numbers of two vectors, 0 to 255, to bytes. Each 128 bits hold eight numbers of `a`,
// then eight of `b`.
HWY_INLINE V16 Bytes(V16 a, V16 b) {
#if HWY_ARCH_ARM_A64
  return V16{vreinterpretq_s16_u8(vcombine_u8(vqmovun_s16(a.raw), vqmovun_s16(b.raw)))};
#elif HWY_CAP_GE512
  return V16{_mm512_packus_epi16(a.raw, b.raw)};
#elif HWY_CAP_GE256
  return V16{_mm256_packus_epi16(a.raw, b.raw)};
#else
  return V16{_mm_packus_epi16(a.raw, b.raw)};
#endif
}

#if HWY_ARCH_ARM_A64

HWY_INLINE int8x16_t RawBytes(V32 v) { return vreinterpretq_s8_s32(v.raw); }

// Needs CpuFeature::kI8mm.
struct UnsignedDot {
  static constexpr int kOffset = 0;
  static HWY_INLINE V32 Operand(V32 u) { return u; }
  static HWY_INLINE V32 Dot(V32 acc, V32 operand, V32 s) {
    return V32{Usdot(acc.raw, vreinterpretq_u8_s32(operand.raw), RawBytes(s))};
  }
};

// Needs CpuFeature::kDotprod.
struct SignedDot {
  static constexpr int kOffset = 128;
  static HWY_INLINE V32 Operand(V32 u) {
    return hn::Xor(u, hn::Set(I32(), static_cast<int32_t>(0x80808080u)));
  }
  static HWY_INLINE V32 Dot(V32 acc, V32 operand, V32 s) {
    return V32{Sdot(acc.raw, RawBytes(operand), RawBytes(s))};
  }
};

// Runs on every ARMv8.0.
struct WidenedDot : SignedDot {
  static HWY_INLINE V32 Dot(V32 acc, V32 operand, V32 s) {
    return V32{WidenDot(acc.raw, RawBytes(operand), RawBytes(s))};
  }
};

#else

#if HWY_CAP_GE256
// Needs CpuFeature::kAvxVnni or kAvx512Vnni.
struct UnsignedDot {
  static constexpr int kOffset = 0;
  static HWY_INLINE V32 Operand(V32 u) { return u; }
  static HWY_INLINE V32 Dot(V32 acc, V32 operand, V32 s) { return DotVnni(acc, operand, s); }
};
#endif

// Returns the sums of the products of adjacent numbers.
HWY_INLINE V32 MulPairs(V16 a, V16 b) {
#if HWY_CAP_GE512
  return V32{_mm512_madd_epi16(a.raw, b.raw)};
#elif HWY_CAP_GE256
  return V32{_mm256_madd_epi16(a.raw, b.raw)};
#else
  return V32{_mm_madd_epi16(a.raw, b.raw)};
#endif
}

// The same sums without VNNI. The bytes become 16-bit numbers, whose products are exact in s32. The
// compiler computes the 16-bit numbers of an operand once for all sums that use it.
struct PairsDot {
  static constexpr int kOffset = 0;
  static HWY_INLINE V32 Operand(V32 u) { return u; }
  static HWY_INLINE V32 Dot(V32 sums, V32 bytes, V32 signed_bytes) {
    const I16 i16;
    const auto u = hn::BitCast(U16(), bytes);
    const V16 s = hn::BitCast(i16, signed_bytes);
    const V16 even = hn::BitCast(i16, hn::And(u, hn::Set(U16(), 0xff)));
    const V16 odd = hn::BitCast(i16, hn::ShiftRight<8>(u));
    const V16 signed_even = hn::ShiftRight<8>(hn::ShiftLeft<8>(s));
    const V16 signed_odd = hn::ShiftRight<8>(s);
    sums = hn::Add(sums, MulPairs(even, signed_even));
    return hn::Add(sums, MulPairs(odd, signed_odd));
  }
};

#endif
#else
#define EDGEGATE_INT8_ATTENTION 0
#endif

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#endif
