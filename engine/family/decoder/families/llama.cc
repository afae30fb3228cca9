// Llama 2 and 3, and models of their architecture (SmolLM2, for example).
#include "engine/family/decoder/decoder_family.h"

namespace edgegate {

DecoderFamily LlamaFamily() {
  DecoderFamily::HuggingFace hf;
  hf.architecture = "LlamaForCausalLM";
  hf.o_bias = HasBias::kByConfig;
  hf.mlp_bias = HasBias::kByConfig;
  hf.eos_token_ids = {2};
  DecoderFamily::Gguf gguf;
  gguf.architecture = "llama";
  // llama.cpp's converter permutes the rows of q and k to this layout.
  gguf.rope_layout = RopeLayout::kInterleaved;
  return {hf, gguf};
}

}  // namespace edgegate
