#include "engine/ops/rows/row_norm.h"

#include <doctest/doctest.h>

#include <vector>

#include "engine/ops/rows/row_ops.h"

namespace edgegate {
namespace {

TEST_CASE("a row norm computes the function of its kind, and kNone returns the row itself") {
  const std::vector<float> x = {1, -2, 3, 4.5f, 0, 7}, weight = {1, 2, 3, 4, 5, 6};
  const std::vector<float> bias = {0.5f, 0, 1, 0, 2, 0};
  std::vector<float> out(6), want(6);
  CHECK(RowNorm().Apply(x.data(), 6, out.data()) == x.data());
  const RowNorm rms{NormKind::kRms, weight.data(), nullptr, 1e-5f};
  CHECK(rms.Apply(x.data(), 6, out.data()) == out.data());
  RmsNormRow(x.data(), weight.data(), 6, 1e-5f, want.data());
  CHECK(out == want);
  const RowNorm layer{NormKind::kLayer, weight.data(), bias.data(), 1e-5f};
  CHECK(layer.Apply(x.data(), 6, out.data()) == out.data());
  LayerNormRow(x.data(), weight.data(), bias.data(), 6, 1e-5f, want.data());
  CHECK(out == want);
}

}  // namespace
}  // namespace edgegate
