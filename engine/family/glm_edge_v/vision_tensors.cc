#include "engine/family/glm_edge_v/vision_tensors.h"

namespace edgegate {
namespace {

#define EG_TOWER "model.vision.vit.model.vision_model."
#define EG_LAYER EG_TOWER "encoder.layers.{}."
#define EG_ADAPTER "model.vision.adapter."

}  // namespace

std::vector<VisionTensor> VisionTensors(const VisionConfig& c, int text_size) {
  const int64_t w = c.hidden_size, f = c.intermediate_size, h = text_size, a = c.adapter_size;
  using P = WeightPart;
  return {
      {P::kPatch, EG_TOWER "embeddings.patch_embedding.weight", "v.patch_embd.weight", w,
       c.patch_values(), false},
      {P::kPatchBias, EG_TOWER "embeddings.patch_embedding.bias", "v.patch_embd.bias", 1, w, false},
      {P::kPositions, EG_TOWER "embeddings.position_embedding.weight", "v.position_embd.weight",
       c.patches(), w, false},
      {P::kVisionNorm1, EG_LAYER "layer_norm1.weight", "v.blk.{}.ln1.weight", 1, w, true},
      {P::kVisionNorm1Bias, EG_LAYER "layer_norm1.bias", "v.blk.{}.ln1.bias", 1, w, true},
      {P::kVisionQ, EG_LAYER "self_attn.q_proj.weight", "v.blk.{}.attn_q.weight", w, w, true},
      {P::kVisionQBias, EG_LAYER "self_attn.q_proj.bias", "v.blk.{}.attn_q.bias", 1, w, true},
      {P::kVisionK, EG_LAYER "self_attn.k_proj.weight", "v.blk.{}.attn_k.weight", w, w, true},
      {P::kVisionKBias, EG_LAYER "self_attn.k_proj.bias", "v.blk.{}.attn_k.bias", 1, w, true},
      {P::kVisionV, EG_LAYER "self_attn.v_proj.weight", "v.blk.{}.attn_v.weight", w, w, true},
      {P::kVisionVBias, EG_LAYER "self_attn.v_proj.bias", "v.blk.{}.attn_v.bias", 1, w, true},
      {P::kVisionOut, EG_LAYER "self_attn.out_proj.weight", "v.blk.{}.attn_out.weight", w, w, true},
      {P::kVisionOutBias, EG_LAYER "self_attn.out_proj.bias", "v.blk.{}.attn_out.bias", 1, w, true},
      {P::kVisionNorm2, EG_LAYER "layer_norm2.weight", "v.blk.{}.ln2.weight", 1, w, true},
      {P::kVisionNorm2Bias, EG_LAYER "layer_norm2.bias", "v.blk.{}.ln2.bias", 1, w, true},
      // The converter for mmproj files swaps the names of these two.
      {P::kFc1, EG_LAYER "mlp.fc1.weight", "v.blk.{}.ffn_down.weight", f, w, true},
      {P::kFc1Bias, EG_LAYER "mlp.fc1.bias", "v.blk.{}.ffn_down.bias", 1, f, true},
      {P::kFc2, EG_LAYER "mlp.fc2.weight", "v.blk.{}.ffn_up.weight", w, f, true},
      {P::kFc2Bias, EG_LAYER "mlp.fc2.bias", "v.blk.{}.ffn_up.bias", 1, w, true},
      {P::kPostNorm, EG_TOWER "post_layernorm.weight", "v.post_ln.weight", 1, w, false},
      {P::kPostNormBias, EG_TOWER "post_layernorm.bias", "v.post_ln.bias", 1, w, false},
      {P::kConv, EG_ADAPTER "conv.weight", "adapter.conv.weight", h, 4 * w, false},
      {P::kConvBias, EG_ADAPTER "conv.bias", "adapter.conv.bias", 1, h, false},
      {P::kAdapterLinear, EG_ADAPTER "linear_proj.linear_proj.weight",
       "adapter.linear.linear.weight", h, h, false},
      {P::kAdapterNorm, EG_ADAPTER "linear_proj.norm1.weight", "adapter.linear.norm1.weight", 1, h,
       false},
      {P::kAdapterNormBias, EG_ADAPTER "linear_proj.norm1.bias", "adapter.linear.norm1.bias", 1, h,
       false},
      {P::kAdapterUp, EG_ADAPTER "linear_proj.dense_h_to_4h.weight",
       "adapter.linear.dense_h_to_4h.weight", a, h, false},
      {P::kAdapterGate, EG_ADAPTER "linear_proj.gate_proj.weight", "adapter.linear.gate.weight", a,
       h, false},
      {P::kAdapterDown, EG_ADAPTER "linear_proj.dense_4h_to_h.weight",
       "adapter.linear.dense_4h_to_h.weight", h, a, false},
      {P::kFirstRow, EG_ADAPTER "boi", "adapter.boi", 1, h, false},
      {P::kLastRow, EG_ADAPTER "eoi", "adapter.eoi", 1, h, false},
  };
}

#undef EG_TOWER
#undef EG_LAYER
#undef EG_ADAPTER

}  // namespace edgegate
