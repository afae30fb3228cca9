#include "engine/quantize/int4_quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/base/half.h"
#include "engine/ops/int4_pack.h"
#include "engine/quantize/linear_packer.h"
#include "engine/weights/dequantize.h"

namespace edgegate {
namespace {

// The mean square of each column of [rows][columns].
std::vector<float> MeanSquares(const std::vector<float>& x, int columns) {
  std::vector<double> sums(static_cast<size_t>(columns));
  for (size_t i = 0; i < x.size(); ++i) {
    sums[i % static_cast<size_t>(columns)] += double{x[i]} * x[i];
  }
  const double rows = static_cast<double>(x.size()) / columns;
  std::vector<float> means(sums.size());
  std::transform(sums.begin(), sums.end(), means.begin(),
                 [&](double sum) { return static_cast<float>(sum / rows); });
  return means;
}

// The groups of one part of a layer, [n][k].
Result<std::vector<Int4Group>> GroupsOf(const ModelSource& source, WeightPart part, int index,
                                        const std::vector<float>& rows, int k,
                                        const std::vector<float>& importance) {
  const TensorType type = source.StoredType(part, index);
  if (type == TensorType::kQ4_0 || type == TensorType::kQ4_1) {
    const int n = static_cast<int>(rows.size()) / k;
    EG_ASSIGN_OR_RETURN(const auto blocks, source.ReadStored(part, index, 0, n));
    if (auto exact = ExactGroups(type, blocks)) return *std::move(exact);
  }
  return SearchGroups(rows, k, importance);
}

}  // namespace

std::optional<std::vector<Int4Group>> ExactGroups(TensorType type,
                                                  std::span<const uint8_t> blocks) {
  if (type != TensorType::kQ4_0 && type != TensorType::kQ4_1) return std::nullopt;
  const auto bytes = static_cast<size_t>(BlockOf(type).bytes);
  std::vector<Int4Group> groups(blocks.size() / bytes);
  if (type == TensorType::kQ4_1) {
    static_assert(sizeof(Int4Group) == 20);
    std::memcpy(groups.data(), blocks.data(), groups.size() * sizeof(Int4Group));
    return groups;
  }
  for (size_t i = 0; i < groups.size(); ++i) {
    const uint8_t* block = blocks.data() + i * bytes;
    std::memcpy(&groups[i].scale, block, 2);
    std::memcpy(groups[i].q, block + 2, sizeof groups[i].q);
    groups[i].minimum = FloatToF16(-8.0f * F16ToFloat(groups[i].scale));
    if (!std::isfinite(F16ToFloat(groups[i].minimum))) return std::nullopt;
  }
  return groups;
}

std::vector<Int4Group> SearchGroups(const std::vector<float>& rows, int k,
                                    const std::vector<float>& importance) {
  const int n = static_cast<int>(rows.size()) / k, groups = Int4Groups(k);
  std::vector<Int4Group> out(size_t{1} * n * groups);
#pragma omp parallel for schedule(static)
  for (int row = 0; row < n; ++row) {
    for (int g = 0; g < groups; ++g) {
      const int first = g * kInt4Group;
      out[size_t{1} * row * groups + g] = QuantizeInt4Group(
          &rows[size_t{1} * row * k + first], &importance[first], std::min(kInt4Group, k - first));
    }
  }
  return out;
}

Status WriteInt4Layer(const ModelSource& source, int index, const FloatLayer& w,
                      const LayerInputs& inputs, BundleWriter* writer) {
  const ModelConfig& c = source.config();
  const int h = c.hidden_size, f = c.intermediate_size;
  const std::string prefix = fmt::format("layers.{}.", index);
  const auto attention = MeanSquares(inputs.attention, h), mlp = MeanSquares(inputs.mlp, h);
  const auto part = [&](WeightPart which, const std::vector<float>& rows, int k,
                        const std::vector<float>& importance) {
    return GroupsOf(source, which, index, rows, k, importance);
  };
  EG_ASSIGN_OR_RETURN(const auto q, part(WeightPart::kQ, w.q, h, attention));
  EG_ASSIGN_OR_RETURN(const auto k, part(WeightPart::kK, w.k, h, attention));
  EG_ASSIGN_OR_RETURN(const auto v, part(WeightPart::kV, w.v, h, attention));
  PackInt4Linear(writer, prefix + "qkv", Concatenate({&q, &k, &v}), h, kInt4Group,
                 Concatenate({&w.q_bias, &w.k_bias, &w.v_bias}));
  EG_ASSIGN_OR_RETURN(const auto o,
                      part(WeightPart::kO, w.o, c.q_size(), MeanSquares(inputs.o, c.q_size())));
  PackInt4Linear(writer, prefix + "o", o, c.q_size(), kInt4Group, w.o_bias);
  EG_ASSIGN_OR_RETURN(const auto gate, part(WeightPart::kGate, w.gate, h, mlp));
  EG_ASSIGN_OR_RETURN(const auto up, part(WeightPart::kUp, w.up, h, mlp));
  PackInt4Linear(writer, prefix + "gate_up", InterleaveGateUp(gate, up, f, Int4Groups(h)), h,
                 kInt4Group, InterleaveGateUp(w.gate_bias, w.up_bias, f, 1));
  EG_ASSIGN_OR_RETURN(const auto down,
                      part(WeightPart::kDown, w.down, f, MeanSquares(inputs.down, f)));
  PackInt4Linear(writer, prefix + "down", down, f, kInt4Group, w.down_bias);
  return {};
}

}  // namespace edgegate
