// Dot products and matrix products of bytes on ARM, which are added to s32 lanes. The code uses
// inline assembly, because the intrinsics need a function attribute in one compiler and a flag for
// the whole file in another. Callers need the CpuFeature that the function names.
#pragma once

#if defined(__aarch64__)

#include <arm_neon.h>

#define EG_ARM_INLINE __attribute__((always_inline)) inline
// Makes the assembler accept the instructions in the rest of its file. The compiler does not use
// them.
#define EG_ARM_ARCH ".arch armv8.2-a+dotprod+i8mm\n\t"

namespace edgegate {

// Returns acc plus, in each lane, the sum of the four products of its bytes. Needs kDotprod.
EG_ARM_INLINE int32x4_t Sdot(int32x4_t acc, int8x16_t a, int8x16_t b) {
  asm(EG_ARM_ARCH "sdot %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(a), "w"(b));
  return acc;
}

// Does the same as Sdot(), with bytes 4 * kLane .. 4 * kLane + 3 of `b` for all lanes. Needs
// kDotprod.
template <int kLane>
EG_ARM_INLINE int32x4_t SdotLane(int32x4_t acc, int8x16_t a, int8x16_t b) {
  asm(EG_ARM_ARCH "sdot %0.4s, %1.16b, %2.4b[%3]" : "+w"(acc) : "w"(a), "w"(b), "n"(kLane));
  return acc;
}

// Does the same as Sdot(), with unsigned bytes `a`. Needs kI8mm.
EG_ARM_INLINE int32x4_t Usdot(int32x4_t acc, uint8x16_t a, int8x16_t b) {
  asm(EG_ARM_ARCH "usdot %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(a), "w"(b));
  return acc;
}

// Returns acc plus the product of two matrices of two rows of eight bytes: lane 2 * i + j gets row
// i of `a` times row j of `b`. Needs kI8mm.
EG_ARM_INLINE int32x4_t Smmla(int32x4_t acc, int8x16_t a, int8x16_t b) {
  asm(EG_ARM_ARCH "smmla %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(a), "w"(b));
  return acc;
}

// Returns acc plus, in each lane, the sum of the four products of its bytes. Both products of a
// pair fit s16 if b has no -128.
EG_ARM_INLINE int32x4_t WidenDot(int32x4_t acc, int8x16_t a, int8x16_t b) {
  const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
  return vpadalq_s16(acc, vpaddq_s16(low, vmull_high_s8(a, b)));
}

// Fetches the four cache lines that begin kOffset bytes after `p`. The compiler's own prefetch
// would keep the address of each line in a register.
template <int kOffset>
EG_ARM_INLINE void FetchLines(const int8_t* p) {
  asm volatile(
      "prfm pldl1keep, [%0, %1]\n\tprfm pldl1keep, [%0, %2]\n\t"
      "prfm pldl1keep, [%0, %3]\n\tprfm pldl1keep, [%0, %4]"
      :
      : "r"(p), "n"(kOffset), "n"(kOffset + 64), "n"(kOffset + 128), "n"(kOffset + 192));
}

// Keeps the compiler from moving loads across this place. Otherwise it loads the operands of many
// products first, and keeps them in memory.
EG_ARM_INLINE void EndOfLoads() { asm volatile("" : : : "memory"); }

}  // namespace edgegate

#endif
