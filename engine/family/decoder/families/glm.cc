// GLM-4 and GLM-Edge: GlmConfig of transformers, chatglm of llama.cpp.
#include "engine/family/decoder/decoder_family.h"

namespace edgegate {
namespace {

constexpr DecoderTensorNames HfNames() {
  DecoderTensorNames names = kHfTensorNames;
  names.gate_up = "model.layers.{}.mlp.gate_up_proj.weight";
  return names;
}

// ffn_up holds the gate rows, then the up rows.
constexpr DecoderTensorNames GgufNames() {
  DecoderTensorNames names = kGgufTensorNames;
  names.gate_up = names.up;
  return names;
}

}  // namespace

DecoderFamily GlmFamily() {
  DecoderFamily::HuggingFace hf;
  hf.architecture = "GlmForCausalLM";
  hf.tensors = HfNames();
  hf.rope_layout = RopeLayout::kInterleaved;
  hf.attention_bias = true;
  hf.rotary_factor = 0.5;
  hf.kv_heads = 2;
  hf.head_dim = 128;
  hf.rms_norm_eps = 1.5625e-7;
  hf.eos_token_ids = {151329, 151336, 151338};
  DecoderFamily::Gguf gguf;
  gguf.architecture = "chatglm";
  gguf.tensors = GgufNames();
  gguf.rope_layout = RopeLayout::kInterleaved;
  gguf.end_of_turn = {"<|user|>", "<|observation|>"};
  return {hf, gguf};
}

}  // namespace edgegate
