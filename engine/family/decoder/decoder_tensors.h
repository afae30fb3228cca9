// The table of a decoder's tensors: their names in published files, and the slices that they are
// bound to.
#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/embedding_type.h"
#include "engine/model/model_config.h"
#include "engine/weights/tensor_files.h"

namespace edgegate {

// Names of a decoder's tensors. "{}" stands for the layer. Null: the files have no such tensor.
struct DecoderTensorNames {
  const char *embedding, *final_norm, *lm_head;
  const char *attention_norm, *q, *k, *v, *o, *qkv;
  const char *qkv_bias, *q_bias, *k_bias, *v_bias, *o_bias;
  const char *q_norm, *k_norm, *mlp_norm;
  const char *gate, *up, *gate_up, *down;
  const char *gate_bias, *up_bias, *down_bias;
};

// The names in most Hugging Face checkpoints and GGUF files. A family starts from one of these
// tables, and changes the names that differ.
inline constexpr DecoderTensorNames kHfTensorNames = {
    .embedding = "model.embed_tokens.weight",
    .final_norm = "model.norm.weight",
    .lm_head = "lm_head.weight",
    .attention_norm = "model.layers.{}.input_layernorm.weight",
    .q = "model.layers.{}.self_attn.q_proj.weight",
    .k = "model.layers.{}.self_attn.k_proj.weight",
    .v = "model.layers.{}.self_attn.v_proj.weight",
    .o = "model.layers.{}.self_attn.o_proj.weight",
    .qkv = nullptr,
    .qkv_bias = nullptr,
    .q_bias = "model.layers.{}.self_attn.q_proj.bias",
    .k_bias = "model.layers.{}.self_attn.k_proj.bias",
    .v_bias = "model.layers.{}.self_attn.v_proj.bias",
    .o_bias = "model.layers.{}.self_attn.o_proj.bias",
    .q_norm = "model.layers.{}.self_attn.q_norm.weight",
    .k_norm = "model.layers.{}.self_attn.k_norm.weight",
    .mlp_norm = "model.layers.{}.post_attention_layernorm.weight",
    .gate = "model.layers.{}.mlp.gate_proj.weight",
    .up = "model.layers.{}.mlp.up_proj.weight",
    .gate_up = nullptr,
    .down = "model.layers.{}.mlp.down_proj.weight",
    .gate_bias = "model.layers.{}.mlp.gate_proj.bias",
    .up_bias = "model.layers.{}.mlp.up_proj.bias",
    .down_bias = "model.layers.{}.mlp.down_proj.bias",
};

inline constexpr DecoderTensorNames kGgufTensorNames = {
    .embedding = "token_embd.weight",
    .final_norm = "output_norm.weight",
    .lm_head = "output.weight",
    .attention_norm = "blk.{}.attn_norm.weight",
    .q = "blk.{}.attn_q.weight",
    .k = "blk.{}.attn_k.weight",
    .v = "blk.{}.attn_v.weight",
    .o = "blk.{}.attn_output.weight",
    .qkv = "blk.{}.attn_qkv.weight",
    .qkv_bias = "blk.{}.attn_qkv.bias",
    .q_bias = "blk.{}.attn_q.bias",
    .k_bias = "blk.{}.attn_k.bias",
    .v_bias = "blk.{}.attn_v.bias",
    .o_bias = "blk.{}.attn_output.bias",
    .q_norm = "blk.{}.attn_q_norm.weight",
    .k_norm = "blk.{}.attn_k_norm.weight",
    .mlp_norm = "blk.{}.ffn_norm.weight",
    .gate = "blk.{}.ffn_gate.weight",
    .up = "blk.{}.ffn_up.weight",
    .gate_up = nullptr,
    .down = "blk.{}.ffn_down.weight",
    .gate_bias = "blk.{}.ffn_gate.bias",
    .up_bias = "blk.{}.ffn_up.bias",
    .down_bias = "blk.{}.ffn_down.bias",
};

// A layer's tensors. Biases and norms that the model does not have are absent. Parts of a fused
// tensor (qkv, gate_up) are slices of it.
struct DecoderLayerTensors {
  TensorSlice attention_norm, q, k, v, o;
  TensorSlice q_bias, k_bias, v_bias, o_bias;
  TensorSlice q_norm, k_norm, mlp_norm;
  TensorSlice gate, up, down;
  TensorSlice gate_bias, up_bias, down_bias;
};

// The bound tensors of a decoder. Views of TensorFiles, which must outlive them.
struct DecoderTensors {
  TensorSlice embedding;
  TensorSlice final_norm;
  TensorSlice lm_head;  // the embedding, if config.tied_lm_head and the files have no lm_head
  std::vector<DecoderLayerTensors> layers;

  // Returns the smallest type that holds the embedding as stored. Quantized GGUF types give kF16.
  EmbeddingType embedding_type() const;
};

// Binds every tensor that the config requires. Errors are those of TensorFiles.
Result<DecoderTensors> BindDecoder(const ModelConfig& config, const DecoderTensorNames& names,
                                   TensorFiles* files);

// True if a tensor that was not bound has no effect on answers. These are tables that the engine
// computes, and layers after the last one, which are heads for multi-token prediction.
bool IsIgnoredByDecoder(const std::string& name, const ModelConfig& config,
                        const DecoderTensorNames& names);

}  // namespace edgegate
