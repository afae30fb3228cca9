#include "engine/family/decoder/int4_quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/base/half.h"
#include "engine/ops/linear/int4/format.h"
#include "engine/quantize/gptq.h"
#include "engine/quantize/linear_packer.h"
#include "engine/quantize/output_error.h"
#include "engine/weights/dequantize.h"

namespace edgegate {
namespace {

// Returns the shrinkage factor for off-diagonal entries of the Hessian (OutputError). Smaller
// sample counts need more shrinkage. Measured on the layer outputs of SmolLM2, with two texts
// outside of the calibration: this factor was better than no off-diagonal entries (1) for 128, 512
// and 2,048 tokens, and for 576 and 1,536 columns. A constant of 0.5 was worse than 1 with many
// columns and few tokens.
float Shrinkage(int64_t tokens, int k) {
  return 0.5f + 0.5f * static_cast<float>(k) / static_cast<float>(k + tokens);
}

// The inputs of linear layers that share them, and their OutputError. It is computed on first use,
// because that takes as long as the rounding.
class Stage {
 public:
  Stage(const std::vector<float>& inputs, int k, int group)
      : inputs_(inputs), k_(k), group_(group) {}

  const OutputError& error() {
    if (!error_) error_ = EstimateOutputError(inputs_, k_, Shrinkage(std::ssize(inputs_) / k_, k_));
    return *error_;
  }
  int k() const { return k_; }
  int group() const { return group_; }

 private:
  const std::vector<float>& inputs_;
  const int k_;
  const int group_;  // weights of a group
  std::optional<OutputError> error_;
};

bool IsKept(TensorType type) {
  return type == TensorType::kQ4_0 || type == TensorType::kQ4_1 || type == TensorType::kQ4K;
}

// Converts a part of a Q4_K block. nullopt: its scale or minimum is out of f16's range.
std::optional<Int4Group> GroupOf(const KPart& part) {
  Int4Group group;
  group.scale = FloatToF16(part.step);
  group.minimum = FloatToF16(-part.offset);
  for (int i = 0; i < kInt4Group / 2; ++i) {
    group.q[i] = static_cast<uint8_t>(part.q[i] | part.q[i + kInt4Group / 2] << 4);
  }
  if (!std::isfinite(F16ToFloat(group.scale)) || !std::isfinite(F16ToFloat(group.minimum))) {
    return std::nullopt;
  }
  return group;
}

// Returns the group size of tensors that are packed as one matrix: 32 if one of them is kept,
// otherwise 64.
int GroupFor(std::initializer_list<TensorSlice> parts) {
  const bool kept = std::any_of(parts.begin(), parts.end(),
                                [](const TensorSlice& part) { return IsKept(part.type()); });
  return kept ? kInt4Group : kInt4WideGroup;
}

// Returns the groups of the rows of a tensor from `first` on. `rows` is the same rows as float,
// [n][k].
Result<std::vector<Int4Group>> GroupsOf(const TensorFiles& files, const TensorSlice& part,
                                        int first, const std::vector<float>& rows, Stage* stage) {
  const TensorType type = part.type();
  if (IsKept(type)) {
    const int n = static_cast<int>(rows.size()) / stage->k();
    EG_ASSIGN_OR_RETURN(const auto blocks, files.ReadStored(part, first, n));
    if (auto groups = StoredGroups(type, blocks)) return *std::move(groups);
  }
  return RoundRows(rows, stage->k(), stage->error(), stage->group());
}

}  // namespace

std::optional<std::vector<Int4Group>> StoredGroups(TensorType type,
                                                   std::span<const uint8_t> blocks) {
  if (!IsKept(type)) return std::nullopt;
  const auto bytes = static_cast<size_t>(BlockOf(type).bytes);
  if (type == TensorType::kQ4K) {
    std::vector<Int4Group> groups;
    for (size_t i = 0; i < blocks.size() / bytes * 8; ++i) {
      const auto group = GroupOf(ReadQ4K(blocks.data() + i / 8 * bytes, static_cast<int>(i % 8)));
      if (!group) return std::nullopt;
      groups.push_back(*group);
    }
    return groups;
  }
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

Status WriteInt4Layer(const LayerToQuantize& layer, FloatLayer* weights, BundleWriter* writer) {
  const ModelSource& source = layer.source;
  const ModelConfig& c = source.config();
  const FloatLayer& w = *weights;
  const LayerInputs& inputs = layer.inputs;
  const int h = c.hidden_size, f = c.intermediate_size;
  const std::string prefix = fmt::format("layers.{}.", layer.index);
  WriteNorms(w, layer.index, writer);
  const DecoderLayerTensors& t = source.decoder().layers[layer.index];
  const auto part = [&](const TensorSlice& slice, const std::vector<float>& rows, Stage* stage) {
    return GroupsOf(source.tensors(), slice, 0, rows, stage);
  };
  {
    Stage attention(inputs.attention, h, GroupFor({t.q, t.k, t.v}));
    EG_ASSIGN_OR_RETURN(const auto q, part(t.q, w.q, &attention));
    EG_ASSIGN_OR_RETURN(const auto k, part(t.k, w.k, &attention));
    EG_ASSIGN_OR_RETURN(const auto v, part(t.v, w.v, &attention));
    WriteInt4(writer, prefix + "qkv", Concatenate({&q, &k, &v}), h, attention.group(),
              Concatenate({&w.q_bias, &w.k_bias, &w.v_bias}));
  }
  {
    Stage attended(inputs.o, c.q_size(), GroupFor({t.o}));
    EG_ASSIGN_OR_RETURN(const auto o, part(t.o, w.o, &attended));
    WriteInt4(writer, prefix + "o", o, c.q_size(), attended.group(), w.o_bias);
  }
  {
    Stage mlp(inputs.mlp, h, GroupFor({t.gate, t.up}));
    EG_ASSIGN_OR_RETURN(const auto gate, part(t.gate, w.gate, &mlp));
    EG_ASSIGN_OR_RETURN(const auto up, part(t.up, w.up, &mlp));
    WriteInt4(writer, prefix + "gate_up", InterleaveGateUp(gate, up, f, Int4Groups(h)), h,
              mlp.group(), InterleaveGateUp(w.gate_bias, w.up_bias, f, 1));
  }
  Stage activated(inputs.down, f, GroupFor({t.down}));
  EG_ASSIGN_OR_RETURN(const auto down, part(t.down, w.down, &activated));
  WriteInt4(writer, prefix + "down", down, f, activated.group(), w.down_bias);
  return {};
}

Status WriteInt4Head(const ModelSource& source, const std::vector<float>& inputs, MakeLinearPacker*,
                     std::vector<float>*, BundleWriter* writer) {
  constexpr int kRows = 4096;  // rows that are in memory as floats
  const int h = source.config().hidden_size, vocabulary = source.config().vocab_size;
  const TensorSlice& head = source.decoder().lm_head;
  Stage stage(inputs, h, GroupFor({head}));
  std::vector<Int4Group> groups;
  std::vector<float> rows;
  for (int first = 0; first < vocabulary; first += kRows) {
    const int count = std::min(kRows, vocabulary - first);
    rows.resize(static_cast<size_t>(count) * h);
    EG_RETURN_IF_ERROR(source.tensors().ReadRows(head, first, count, rows.data()));
    EG_ASSIGN_OR_RETURN(const auto part, GroupsOf(source.tensors(), head, first, rows, &stage));
    groups.insert(groups.end(), part.begin(), part.end());
  }
  WriteInt4(writer, "lm_head", groups, h, stage.group(), {});
  return {};
}

}  // namespace edgegate
