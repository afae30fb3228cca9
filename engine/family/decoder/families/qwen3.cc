// Qwen3: dense models.
#include "engine/family/decoder/decoder_family.h"

namespace edgegate {

DecoderFamily Qwen3Family() {
  DecoderFamily::HuggingFace hf;
  hf.architecture = "Qwen3ForCausalLM";
  hf.o_bias = HasBias::kByConfig;
  hf.qk_norm = true;
  hf.kv_heads = 32;
  hf.head_dim = 128;
  DecoderFamily::Gguf gguf;
  gguf.architecture = "qwen3";
  gguf.qk_norm = true;
  return {hf, gguf};
}

}  // namespace edgegate
