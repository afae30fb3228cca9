#include "engine/ops/int8_onednn.h"

#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <tuple>
#include <utility>

#include "engine/base/cpu_features.h"

namespace edgegate {
namespace {

using dnnl::matmul;
using dnnl::memory;

matmul::primitive_desc Describe(const memory::desc& src, const memory::desc& weights,
                                const memory::desc& dst, const dnnl::engine& engine) {
#if DNNL_VERSION_MAJOR >= 3
  return matmul::primitive_desc(engine, src, weights, dst);
#else
  return matmul::primitive_desc(matmul::desc(src, weights, dst), engine);
#endif
}

struct Shape {
  int m, k, n;
  bool operator<(const Shape& o) const { return std::tie(m, k, n) < std::tie(o.m, o.k, o.n); }
};

// A primitive and the memory objects that it is run with.
struct Plan {
  memory src, weights, dst;
  matmul primitive;
  std::string name;
};

}  // namespace

struct OneDnnInt8::Impl {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::map<Shape, std::optional<Plan>> plans;  // nullopt: no fast kernel

  std::optional<Plan> MakePlan(const Shape& shape) {
    using Tag = memory::format_tag;
    const memory::desc src({shape.m, shape.k}, memory::data_type::u8, Tag::ab);
    const memory::desc weights({shape.k, shape.n}, memory::data_type::s8, Tag::BA16a64b4a);
    const memory::desc dst({shape.m, shape.n}, memory::data_type::s32, Tag::ab);
    try {
      matmul::primitive_desc description = Describe(src, weights, dst, engine);
      std::string name = description.impl_info_str();
      // Anything else than a batch-reduce kernel is slower than our own.
      if (!name.starts_with("brg")) return std::nullopt;
      return Plan{memory(src, engine, nullptr), memory(weights, engine, nullptr),
                  memory(dst, engine, nullptr), matmul(description), std::move(name)};
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
  if (CurrentIsa() < Isa::kAvx512Vnni) return nullptr;
  auto impl = std::make_unique<Impl>();
  const auto& plan = impl->PlanFor({64, 256, 256});
  if (!plan) return nullptr;
  std::string name = plan->name;
  return std::unique_ptr<OneDnnInt8>(new OneDnnInt8(std::move(impl), std::move(name)));
}

bool OneDnnInt8::Run(const Int8Rows& rows, int m, const int8_t* packed, int columns, int32_t* out) {
  const auto& plan = impl_->PlanFor({m, static_cast<int>(rows.stride), columns});
  if (!plan) return false;
  // oneDNN's handles are not const; it does not write through these two.
  plan->src.set_data_handle(const_cast<uint8_t*>(rows.u8));
  plan->weights.set_data_handle(const_cast<int8_t*>(packed));
  plan->dst.set_data_handle(out);
  // Its C++ form takes a map, made anew for each call.
  const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, plan->src.get()},
                                  {DNNL_ARG_WEIGHTS, plan->weights.get()},
                                  {DNNL_ARG_DST, plan->dst.get()}};
  dnnl::error::wrap_c_api(
      dnnl_primitive_execute(plan->primitive.get(), impl_->stream.get(), 3, args),
      "could not execute a matmul");
  impl_->stream.wait();
  return true;
}

}  // namespace edgegate
