#include "engine/family/glm_edge_v/tensors.h"

#include <algorithm>

namespace edgegate::glm_edge_v {
namespace {

#define EG_TOWER "model.vision.vit.model.vision_model."
#define EG_LAYER EG_TOWER "encoder.layers.{}."
#define EG_ADAPTER "model.vision.adapter."

// A row of the table: a tensor of `Group`, and its names in the two kinds of files.
template <typename Group>
struct Row {
  TensorSlice Group::*slice;
  const char* huggingface;  // "{}" stands for the layer
  const char* gguf;         // in llama.cpp's mmproj file
  int64_t rows;             // 1: a vector
  int64_t cols;
};

std::vector<Row<LayerTensors>> LayerTable(const Config& c) {
  const int64_t w = c.hidden_size, f = c.intermediate_size;
  return {
      {&LayerTensors::norm1, EG_LAYER "layer_norm1.weight", "v.blk.{}.ln1.weight", 1, w},
      {&LayerTensors::norm1_bias, EG_LAYER "layer_norm1.bias", "v.blk.{}.ln1.bias", 1, w},
      {&LayerTensors::q, EG_LAYER "self_attn.q_proj.weight", "v.blk.{}.attn_q.weight", w, w},
      {&LayerTensors::q_bias, EG_LAYER "self_attn.q_proj.bias", "v.blk.{}.attn_q.bias", 1, w},
      {&LayerTensors::k, EG_LAYER "self_attn.k_proj.weight", "v.blk.{}.attn_k.weight", w, w},
      {&LayerTensors::k_bias, EG_LAYER "self_attn.k_proj.bias", "v.blk.{}.attn_k.bias", 1, w},
      {&LayerTensors::v, EG_LAYER "self_attn.v_proj.weight", "v.blk.{}.attn_v.weight", w, w},
      {&LayerTensors::v_bias, EG_LAYER "self_attn.v_proj.bias", "v.blk.{}.attn_v.bias", 1, w},
      {&LayerTensors::out, EG_LAYER "self_attn.out_proj.weight", "v.blk.{}.attn_out.weight", w, w},
      {&LayerTensors::out_bias, EG_LAYER "self_attn.out_proj.bias", "v.blk.{}.attn_out.bias", 1, w},
      {&LayerTensors::norm2, EG_LAYER "layer_norm2.weight", "v.blk.{}.ln2.weight", 1, w},
      {&LayerTensors::norm2_bias, EG_LAYER "layer_norm2.bias", "v.blk.{}.ln2.bias", 1, w},
      // The converter for mmproj files swaps the names of these two.
      {&LayerTensors::fc1, EG_LAYER "mlp.fc1.weight", "v.blk.{}.ffn_down.weight", f, w},
      {&LayerTensors::fc1_bias, EG_LAYER "mlp.fc1.bias", "v.blk.{}.ffn_down.bias", 1, f},
      {&LayerTensors::fc2, EG_LAYER "mlp.fc2.weight", "v.blk.{}.ffn_up.weight", w, f},
      {&LayerTensors::fc2_bias, EG_LAYER "mlp.fc2.bias", "v.blk.{}.ffn_up.bias", 1, w},
  };
}

std::vector<Row<Tensors>> Table(const Config& c, int64_t h) {
  const int64_t w = c.hidden_size, a = c.adapter_size;
  return {
      {&Tensors::patch, EG_TOWER "embeddings.patch_embedding.weight", "v.patch_embd.weight", w,
       c.patch_values()},
      {&Tensors::patch_bias, EG_TOWER "embeddings.patch_embedding.bias", "v.patch_embd.bias", 1, w},
      {&Tensors::positions, EG_TOWER "embeddings.position_embedding.weight",
       "v.position_embd.weight", c.patches(), w},
      {&Tensors::post_norm, EG_TOWER "post_layernorm.weight", "v.post_ln.weight", 1, w},
      {&Tensors::post_norm_bias, EG_TOWER "post_layernorm.bias", "v.post_ln.bias", 1, w},
      {&Tensors::conv, EG_ADAPTER "conv.weight", "adapter.conv.weight", h, 4 * w},
      {&Tensors::conv_bias, EG_ADAPTER "conv.bias", "adapter.conv.bias", 1, h},
      {&Tensors::linear, EG_ADAPTER "linear_proj.linear_proj.weight",
       "adapter.linear.linear.weight", h, h},
      {&Tensors::adapter_norm, EG_ADAPTER "linear_proj.norm1.weight", "adapter.linear.norm1.weight",
       1, h},
      {&Tensors::adapter_norm_bias, EG_ADAPTER "linear_proj.norm1.bias",
       "adapter.linear.norm1.bias", 1, h},
      {&Tensors::up, EG_ADAPTER "linear_proj.dense_h_to_4h.weight",
       "adapter.linear.dense_h_to_4h.weight", a, h},
      {&Tensors::gate, EG_ADAPTER "linear_proj.gate_proj.weight", "adapter.linear.gate.weight", a,
       h},
      {&Tensors::down, EG_ADAPTER "linear_proj.dense_4h_to_h.weight",
       "adapter.linear.dense_4h_to_h.weight", h, a},
      {&Tensors::first_row, EG_ADAPTER "boi", "adapter.boi", 1, h},
      {&Tensors::last_row, EG_ADAPTER "eoi", "adapter.eoi", 1, h},
  };
}

template <typename Group>
Status BindAll(const std::vector<Row<Group>>& table, MediaFamily::FileKind kind, int layer,
               TensorFiles* files, Group* group) {
  for (const Row<Group>& row : table) {
    const char* pattern = kind == MediaFamily::FileKind::kGguf ? row.gguf : row.huggingface;
    EG_RETURN_IF_ERROR(files->BindFlattened(fmt::format(fmt::runtime(pattern), layer), row.rows,
                                            row.cols, &(group->*row.slice)));
  }
  return {};
}

}  // namespace

Result<Tensors> Bind(const Config& config, int text_size, MediaFamily::FileKind kind,
                     TensorFiles* files) {
  Tensors tensors;
  EG_RETURN_IF_ERROR(BindAll(Table(config, text_size), kind, 0, files, &tensors));
  const auto layers = LayerTable(config);
  for (int layer = 0; layer < config.num_layers; ++layer) {
    EG_RETURN_IF_ERROR(BindAll(layers, kind, layer, files, &tensors.layers.emplace_back()));
  }
  return tensors;
}

int AdapterSize(const TensorFiles& files, MediaFamily::FileKind kind) {
  const char* name = kind == MediaFamily::FileKind::kGguf ? "adapter.linear.dense_h_to_4h.weight"
                                                          : EG_ADAPTER
                         "linear_proj.dense_h_to_4h.weight";
  return static_cast<int>(std::min<int64_t>(files.RowsOf(name), 1 << 17));
}

bool IsIgnored(const std::string& name) {
  return name.starts_with(EG_TOWER "head.") ||
         name.ends_with("vision_model.embeddings.position_ids");
}

#undef EG_TOWER
#undef EG_LAYER
#undef EG_ADAPTER

}  // namespace edgegate::glm_edge_v
