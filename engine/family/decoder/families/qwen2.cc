// Qwen2 and Qwen2.5.
#include "engine/family/decoder/decoder_family.h"

namespace edgegate {

DecoderFamily Qwen2Family() {
  DecoderFamily::HuggingFace hf;
  hf.architecture = "Qwen2ForCausalLM";
  hf.qkv_bias = HasBias::kAlways;
  hf.kv_heads = 32;
  DecoderFamily::Gguf gguf;
  gguf.architecture = "qwen2";
  return {hf, gguf};
}

}  // namespace edgegate
