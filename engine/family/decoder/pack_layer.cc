#include "engine/family/decoder/pack_layer.h"

#include <string>
#include <utility>

#include "engine/family/decoder/fold_layer.h"
#include "engine/quantize/linear_packer.h"

namespace edgegate {

Status PackLayer(const LayerToQuantize& layer, FloatLayer* weights, BundleWriter* writer) {
  const ModelConfig& c = layer.source.config();
  FoldLayer(c, layer.inputs, weights);
  const FloatLayer& w = *weights;
  const std::string prefix = fmt::format("layers.{}.", layer.index);
  const auto linear = [&](const char* name, const RowPointers& rows, int k,
                          std::vector<float> bias) {
    PackLinear(writer, prefix + name, rows, k, std::move(bias), layer.packer);
  };
  WriteNorms(w, layer.index, writer);
  linear("qkv", RowsOf({&w.q, &w.k, &w.v}, c.hidden_size), c.hidden_size,
         Concatenate({&w.q_bias, &w.k_bias, &w.v_bias}));
  linear("o", RowsOf({&w.o}, c.q_size()), c.q_size(), w.o_bias);
  linear("gate_up", GateUpRows(w.gate, w.up, c.hidden_size), c.hidden_size,
         InterleaveGateUp(w.gate_bias, w.up_bias, c.intermediate_size, 1));
  linear("down", RowsOf({&w.down}, c.intermediate_size), c.intermediate_size, w.down_bias);
  return {};
}

}  // namespace edgegate
