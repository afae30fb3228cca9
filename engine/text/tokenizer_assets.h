// The parts of a model's files that concern text. The weights layer gathers them and keeps them in
// the bundle; this layer makes a Tokenizer and a ChatTemplate of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace edgegate {

struct TokenizerAssets {
  enum class Kind { kHuggingFace, kSentencePiece };
  Kind kind = Kind::kHuggingFace;
  std::string model;             // tokenizer.json text, or the bytes of tokenizer.model
  std::string tokenizer_config;  // tokenizer_config.json text; may be empty
  std::string chat_template;     // Jinja source; empty if the model has none
};

// The tokenizer metadata of a GGUF file (keys tokenizer.*), uninterpreted.
struct GgufVocab {
  std::string model;  // "gpt2" (byte-level BPE) or "llama" (SentencePiece)
  std::string pre;    // pre-tokenizer name: "smollm", "llama-bpe", "qwen2", "chatglm-bpe", ...
  std::vector<std::string> tokens;
  std::vector<float> scores;
  std::vector<int32_t> types;  // 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte
  std::vector<std::string> merges;
  std::optional<int32_t> bos, eos, eot, unk, pad;
  std::optional<bool> add_bos, add_eos, add_space_prefix;
  std::string chat_template;
};

}  // namespace edgegate
