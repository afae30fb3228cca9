// Exact dot products: four u8 x s8 products, or two s16 x s16 products, are added to each s32 lane.
// The file is included once for each of Highway's targets, as Highway's own contrib/*-inl.h are.
// Highway 1.0 has no such operation, and its AVX-512-VNNI target requires AVX-VNNI too. So the code
// uses inline assembly. Kernels that use it need CpuFeature::kAvxVnni or kAvx512Vnni.
#if defined(EDGEGATE_VNNI_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGEGATE_VNNI_INL_H_
#undef EDGEGATE_VNNI_INL_H_
#else
#define EDGEGATE_VNNI_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

#if HWY_ARCH_X86 && HWY_CAP_GE256

// Returns acc plus, in each s32 lane, the sum of four products of `bytes` (u8) and `signed_bytes`
// (s8). Each argument is a full vector of any lane type.
template <class V32, class VU, class VS>
HWY_INLINE V32 DotVnni(V32 acc, VU bytes, VS signed_bytes) {
#if HWY_CAP_GE512
  asm("vpdpbusd %2, %1, %0" : "+v"(acc.raw) : "v"(bytes.raw), "v"(signed_bytes.raw));
#else
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc.raw) : "x"(bytes.raw), "x"(signed_bytes.raw));
#endif
  return acc;
}

// Returns acc plus, in each s32 lane, the sum of two products of `a` and `b`, vectors of s16.
template <class V32, class V16>
HWY_INLINE V32 DotPairsVnni(V32 acc, V16 a, V16 b) {
#if HWY_CAP_GE512
  asm("vpdpwssd %2, %1, %0" : "+v"(acc.raw) : "v"(a.raw), "v"(b.raw));
#else
  asm("%{vex%} vpdpwssd %2, %1, %0" : "+x"(acc.raw) : "x"(a.raw), "x"(b.raw));
#endif
  return acc;
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#endif
