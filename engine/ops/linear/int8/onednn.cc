#include "engine/ops/linear/int8/onednn.h"

#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <tuple>
#include <utility>

#include "engine/base/cpu_features.h"
#include "engine/ops/isa/onednn_thread.h"

namespace edgegate {
namespace {

using dnnl::matmul;
using dnnl::memory;

matmul::primitive_desc Describe(const memory::desc& src, const memory::desc& weights,
                                const memory::desc& dst, const dnnl::engine& engine) {
  dnnl::primitive_attr attributes;
  // By default, oneDNN's scratchpad belongs to the thread that makes the primitive.
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
#if DNNL_VERSION_MAJOR >= 3
  return matmul::primitive_desc(engine, src, weights, dst, attributes);
#else
  return matmul::primitive_desc(matmul::desc(src, weights, dst), attributes, engine);
#endif
}

struct Shape {
  int m, k, n;
  bool operator<(const Shape& o) const { return std::tie(m, k, n) < std::tie(o.m, o.k, o.n); }
};

}  // namespace

struct OneDnnInt8::Plan {
  memory::desc src, weights, dst, scratch;
  matmul primitive;
  std::string name;
};

struct OneDnnInt8::Impl {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  std::map<Shape, std::optional<Plan>> plans;  // nullopt: no fast kernel

  std::optional<Plan> MakePlan(const Shape& shape) {
    using Tag = memory::format_tag;
    const memory::desc src({shape.m, shape.k}, memory::data_type::u8, Tag::ab);
    const memory::desc weights({shape.k, shape.n}, memory::data_type::s8, Tag::BA16a64b4a);
    const memory::desc dst({shape.m, shape.n}, memory::data_type::s32, Tag::ab);
    UseOneDnnOnThisThread();
    try {
      matmul::primitive_desc description = Describe(src, weights, dst, engine);
      std::string name = description.impl_info_str();
      // Only batch-reduce kernels are faster than our own.
      if (!name.starts_with("brg")) return std::nullopt;
      return Plan{
          src, weights, dst, description.scratchpad_desc(), matmul(description), std::move(name)};
    } catch (const dnnl::error&) {
      return std::nullopt;
    }
  }

  const std::optional<Plan>& PlanFor(const Shape& shape) {
    auto found = plans.find(shape);
    if (found == plans.end()) found = plans.emplace(shape, MakePlan(shape)).first;
    return found->second;
  }
};

OneDnnInt8::OneDnnInt8(std::unique_ptr<Impl> impl, std::string name)
    : impl_(std::move(impl)), name_(std::move(name)) {}
OneDnnInt8::~OneDnnInt8() = default;

std::unique_ptr<OneDnnInt8> OneDnnInt8::Make() {
  if (!CurrentIsa().features.Has(CpuFeature::kAvx512Vnni)) return nullptr;
  auto impl = std::make_unique<Impl>();
  const auto& plan = impl->PlanFor({64, 256, 256});
  if (!plan) return nullptr;
  std::string name = plan->name;
  return std::unique_ptr<OneDnnInt8>(new OneDnnInt8(std::move(impl), std::move(name)));
}

const OneDnnInt8::Plan* OneDnnInt8::PlanFor(int m, int k, int columns) {
  const auto& plan = impl_->PlanFor({m, k, columns});
  return plan ? &*plan : nullptr;
}

size_t OneDnnInt8::ScratchBytes(const Plan& plan) { return plan.scratch.get_size(); }

void OneDnnInt8::Run(const Plan& plan, const uint8_t* rows, const int8_t* packed, int32_t* out,
                     uint8_t* scratch) const {
  UseOneDnnOnThisThread();
  // oneDNN's handles are not const. oneDNN does not write through the first two.
  const memory src(plan.src, impl_->engine, const_cast<uint8_t*>(rows));
  const memory weights(plan.weights, impl_->engine, const_cast<int8_t*>(packed));
  const memory dst(plan.dst, impl_->engine, out);
  const memory own(plan.scratch, impl_->engine, scratch);
  // The C++ function takes a map, which would be allocated in each call.
  const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, src.get()},
                                  {DNNL_ARG_WEIGHTS, weights.get()},
                                  {DNNL_ARG_DST, dst.get()},
                                  {DNNL_ARG_SCRATCHPAD, own.get()}};
  dnnl::stream stream(impl_->engine);
  dnnl::error::wrap_c_api(dnnl_primitive_execute(plan.primitive.get(), stream.get(), 4, args),
                          "could not execute a matmul");
  stream.wait();
}

}  // namespace edgegate
