#include "engine/ops/isa/isa_cap.h"

#include <hwy/highway.h>

#include <oneapi/dnnl/dnnl.hpp>

#include "engine/base/cpu_features.h"

namespace edgegate {
namespace {

dnnl::cpu_isa DnnlIsa(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return dnnl::cpu_isa::sse41;
    case Isa::kAvx2:
      return dnnl::cpu_isa::avx2;
    case Isa::kAvxVnni:
      return dnnl::cpu_isa::avx2_vnni;
    case Isa::kAvx512:
      return dnnl::cpu_isa::avx512_core;
    case Isa::kAvx512Vnni:
      // Zen 4 and Cooper Lake have bf16 too; the AMX levels come after it.
      return dnnl::cpu_isa::avx512_core_bf16;
    case Isa::kAmx:
      break;
  }
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::cpu_isa::isa_default;
#else
  return dnnl::cpu_isa::all;
#endif
}

}  // namespace

Status SetIsaCap(std::string_view name) {
  EG_RETURN_IF_ERROR(CapIsa(name));
  const Isa isa = CurrentIsa();
  int64_t disabled = 0;
#if HWY_ARCH_X86
  // A lower value is a better target: disable all that are better than the cap.
  if (isa < Isa::kAvx512) disabled |= 2 * int64_t{HWY_AVX3} - 1;
  if (isa < Isa::kAvx2) disabled |= 2 * int64_t{HWY_AVX2} - 1;
#endif
  hwy::DisableTargets(disabled);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  if (name == "auto") return {};
  if (dnnl::set_max_cpu_isa(DnnlIsa(isa)) != dnnl::status::success) {
    return Unavailable("oneDNN is in use already: its instruction set can no longer be capped");
  }
  return {};
}

}  // namespace edgegate
