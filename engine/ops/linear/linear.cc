#include "engine/ops/linear/linear.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace edgegate {
namespace {

template <typename... Formats>
int LeastCheapRows(FormatList<Formats...>, const LinearFormatSet& set) {
  int least = std::numeric_limits<int>::max();
  size_t index = 0;
  ((least = set.Has(index++) ? std::min(least, Formats::kCheapRows) : least), ...);
  return least;
}

// Calls use(executor, layer) with the executor of the layer's format.
template <typename Executors, typename Use>
void WithExecutor(Executors& executors, const Linear& w, Use use) {
  const auto one = [&]<size_t kIndex>(std::integral_constant<size_t, kIndex>) {
    if (const auto* layer = std::get_if<kIndex>(&w.layer))
      use(*std::get<kIndex>(executors), *layer);
  };
  [&]<size_t... kIndices>(std::index_sequence<kIndices...>) {
    (one(std::integral_constant<size_t, kIndices>()), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<Executors>>());
}

}  // namespace

LinearShape Linear::shape() const {
  return std::visit([](const auto& of) { return LinearShape{of.n, of.k}; }, layer);
}

int64_t Linear::bytes() const {
  return std::visit([](const auto& of) { return of.bytes(); }, layer);
}

int LinearFormatSet::CheapRows() const { return LeastCheapRows(LinearFormats(), *this); }

LinearMatMul::LinearMatMul(const LinearSizes& sizes, LinearFormatSet formats,
                           Int8MatMul::Backend backend)
    : int8_(sizes, backend) {
  size_t index = 0;
  const auto make = [&](auto& executor) {
    using Executor = typename std::decay_t<decltype(executor)>::element_type;
    if (formats.Has(index++)) executor = std::make_unique<Executor>(sizes, &int8_);
  };
  std::apply([&](auto&... executors) { (make(executors), ...); }, executors_);
}

void LinearMatMul::QuantizeRows(const Linear& w, const float* x, int64_t stride, int rows,
                                const RowNorm& norm) {
  WithExecutor(executors_, w, [&](auto& executor, const auto& layer) {
    executor.Quantize(layer, x, stride, rows, norm);
  });
}

void LinearMatMul::Quantize(const Linear& w, const float* x, int64_t stride, int rows) {
  QuantizeRows(w, x, stride, rows, {});
}

void LinearMatMul::NormalizeAndQuantize(const Linear& w, const float* x, int64_t stride, int rows,
                                        const float* weight, float eps) {
  QuantizeRows(w, x, stride, rows, {NormKind::kRms, weight, nullptr, eps});
}

void LinearMatMul::LayerNormAndQuantize(const Linear& w, const float* x, int64_t stride, int rows,
                                        const float* weight, const float* bias, float eps) {
  QuantizeRows(w, x, stride, rows, {NormKind::kLayer, weight, bias, eps});
}

void LinearMatMul::Store(const Linear& w, float* out, int64_t stride) {
  WithExecutor(executors_, w,
               [&](auto& executor, const auto& layer) { executor.Store(layer, out, stride); });
}

void LinearMatMul::Add(const Linear& w, float* out, int64_t stride) {
  WithExecutor(executors_, w,
               [&](auto& executor, const auto& layer) { executor.Add(layer, out, stride); });
}

void LinearMatMul::SwiGlu(const Linear& w, float* out, int64_t stride) {
  WithExecutor(executors_, w,
               [&](auto& executor, const auto& layer) { executor.SwiGlu(layer, out, stride); });
}

void LinearMatMul::Gelu(const Linear& w, float* out, int64_t stride) {
  WithExecutor(executors_, w,
               [&](auto& executor, const auto& layer) { executor.Gelu(layer, out, stride); });
}

std::string LinearMatMul::Description() const {
  std::string all = int8_.matmul.Description();
  const auto add = [&](const auto& executor) {
    if (executor == nullptr) return;
    const std::string own = executor->Description();
    if (!own.empty() && own != all) all += ", " + own;
  };
  std::apply([&](const auto&... executors) { (add(executors), ...); }, executors_);
  return all;
}

}  // namespace edgegate
