#include "engine/ops/isa/isa_cap.h"

#include <hwy/highway.h>

#include "engine/base/cpu_features.h"

// oneDNN has caps on x86 alone.
#if defined(EDGEGATE_ONEDNN) && HWY_ARCH_X86
#define EDGEGATE_CAPS_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#endif

namespace edgegate {

#ifdef EDGEGATE_CAPS_ONEDNN
namespace {

#if DNNL_VERSION_MAJOR >= 3
constexpr dnnl::cpu_isa kAllOfDnnl = dnnl::cpu_isa::isa_default;
#else
constexpr dnnl::cpu_isa kAllOfDnnl = dnnl::cpu_isa::all;
#endif

// A row of oneDNN's caps. The first row whose feature the current level has is used.
struct DnnlCap {
  CpuFeature feature;
  dnnl::cpu_isa cap;
};
constexpr DnnlCap kDnnlCaps[] = {
    {CpuFeature::kAmxInt8, kAllOfDnnl},
    // Zen 4 and Cooper Lake have bf16 as well as VNNI. oneDNN's AMX levels are above this one.
    {CpuFeature::kAvx512Vnni, dnnl::cpu_isa::avx512_core_bf16},
    {CpuFeature::kAvx512, dnnl::cpu_isa::avx512_core},
    {CpuFeature::kAvxVnni, dnnl::cpu_isa::avx2_vnni},
    {CpuFeature::kAvx2, dnnl::cpu_isa::avx2},
};

dnnl::cpu_isa DnnlIsa(CpuFeatures features) {
  for (const DnnlCap& row : kDnnlCaps) {
    if (features.Has(row.feature)) return row.cap;
  }
  return dnnl::cpu_isa::sse41;
}

}  // namespace
#endif

Status SetIsaCap(std::string_view name) {
  EG_RETURN_IF_ERROR(CapIsa(name));
#if HWY_ARCH_X86
  const CpuFeatures features = CurrentIsa().features;
  int64_t disabled = 0;
  // A lower value is a better target. This disables the target and all better ones.
  if (!features.Has(CpuFeature::kAvx512)) disabled |= 2 * int64_t{HWY_AVX3} - 1;
  if (!features.Has(CpuFeature::kAvx2)) disabled |= 2 * int64_t{HWY_AVX2} - 1;
  if (!features.Has(CpuFeature::kSse4)) disabled |= 2 * int64_t{HWY_SSE4} - 1;
  hwy::DisableTargets(disabled);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
#endif
#ifdef EDGEGATE_CAPS_ONEDNN
  if (name == "auto") return {};
  if (dnnl::set_max_cpu_isa(DnnlIsa(CurrentIsa().features)) != dnnl::status::success) {
    return Unavailable("oneDNN is in use already: its instruction set can no longer be capped");
  }
#endif
  return {};
}

}  // namespace edgegate
