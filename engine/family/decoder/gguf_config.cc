#include "engine/family/decoder/gguf_config.h"

#include <algorithm>

#include "engine/family/registry.h"

namespace edgegate {
namespace {

// Follows llama.cpp: scaling without a type is linear, and rope_freqs applies in addition.
Status SetRope(const GgufFile& gguf, const std::string& arch, RopeLayout layout,
               const std::vector<float>& factors, ModelConfig* model) {
  RopeConfig& rope = model->rope;
  rope.layout = layout;
  rope.theta = gguf.Number(arch + ".rope.freq_base").value_or(10000.0);
  rope.rotary_dim =
      static_cast<int>(gguf.Int(arch + ".rope.dimension_count").value_or(model->head_dim));
  rope.frequency_divisors = factors;
  const std::string type = gguf.String(arch + ".rope.scaling.type").value_or("linear");
  if (type == "none") return {};
  if (type != "linear") return Unimplemented("rope scaling type \"{}\" is not supported", type);
  const double factor = gguf.Number(arch + ".rope.scaling.factor")
                            .value_or(gguf.Number(arch + ".rope.scale_linear").value_or(0));
  if (factor == 0 || factor == 1) return {};
  if (!(factor > 0)) return DataLoss("{}.rope.scaling.factor is {}", arch, factor);
  if (factors.empty()) {
    rope.frequency_divisors.assign(static_cast<size_t>(std::max(0, rope.rotary_dim / 2)), 1.0f);
  }
  for (float& divisor : rope.frequency_divisors) divisor *= static_cast<float>(factor);
  return {};
}

Status RefuseUnsupported(const GgufFile& gguf, const std::string& arch, const ModelConfig& model) {
  const int64_t shards = gguf.Int("split.count").value_or(1);
  if (shards > 1) {
    return Unimplemented("one of {} parts of a split GGUF: merge them with gguf-split", shards);
  }
  if (gguf.Int(arch + ".expert_count").value_or(0) > 0) {
    return Unimplemented("{}.expert_count: mixtures of experts are not supported", arch);
  }
  const int64_t value_length = gguf.Int(arch + ".attention.value_length").value_or(model.head_dim);
  if (value_length != model.head_dim) {
    return Unimplemented("{}.attention.value_length is {}: must equal the key length, {}", arch,
                         value_length, model.head_dim);
  }
  const int64_t window = gguf.Int(arch + ".attention.sliding_window").value_or(0);
  if (window > 0 && window < model.max_position_embeddings) {
    return Unimplemented("{}.attention.sliding_window is not supported", arch);
  }
  return {};
}

bool HasTensor(const GgufFile& gguf, const char* name) {
  return std::any_of(gguf.tensors.begin(), gguf.tensors.end(),
                     [&](const TensorInfo& t) { return t.name == name; });
}

// Tokens that end a turn in every vocabulary that has them (llama.cpp, llama-vocab.cpp). Many files
// name only one of them.
constexpr const char* kEndOfTurn[] = {"<|endoftext|>", "<|end_of_text|>", "<|eot_id|>",
                                      "<|eom_id|>", "<|im_end|>"};

void SetEos(const GgufFile& gguf, const std::vector<std::string>& end_of_turn, ModelConfig* model) {
  auto add = [&](int64_t id) {
    const auto token = static_cast<int32_t>(id);
    auto& ids = model->eos_token_ids;
    if (id >= 0 && id < model->vocab_size && std::find(ids.begin(), ids.end(), token) == ids.end())
      ids.push_back(token);
  };
  for (const char* key : {"eos_token_id", "eot_token_id", "eom_token_id"}) {
    if (auto id = gguf.Int(std::string("tokenizer.ggml.") + key)) add(*id);
  }
  const auto* tokens = gguf.Array<std::string>("tokenizer.ggml.tokens");
  if (tokens == nullptr) return;
  auto add_named = [&](std::string_view name) {
    auto found = std::find(tokens->begin(), tokens->end(), name);
    if (found != tokens->end()) add(found - tokens->begin());
  };
  for (const char* name : kEndOfTurn) add_named(name);
  for (const std::string& name : end_of_turn) add_named(name);
}

// Reads the pooling of an embedding model. nullopt: the file does not mark the model as one.
Result<std::optional<EmbeddingConfig>> EmbeddingOf(const GgufFile& gguf, const std::string& arch) {
  constexpr int64_t kNone = 0, kLast = 3;  // llama.cpp's enum llama_pooling_type
  const int64_t pooling = gguf.Int(arch + ".pooling_type").value_or(kNone);
  if (pooling == kNone) return std::optional<EmbeddingConfig>();
  if (pooling != kLast) {
    return Unimplemented("{}.pooling_type {} is not supported for a decoder", arch, pooling);
  }
  return std::optional(EmbeddingConfig{.pooling = Pooling::kLast});
}

}  // namespace

Result<ModelConfig> ConfigFromGguf(const GgufFile& gguf, const std::vector<float>& rope_factors) {
  const std::string arch = gguf.String("general.architecture").value_or("");
  EG_ASSIGN_OR_RETURN(const DecoderFamily* found, FindGgufFamily(arch));
  const DecoderFamily::Gguf& family = *found->gguf;
  ModelConfig model;
  model.architecture = "gguf:" + arch;
  Status missing;
  auto size = [&](const std::string& key, std::optional<int64_t> absent = std::nullopt) {
    const auto value = gguf.Int(arch + key);
    if (!value && !absent && missing.ok()) missing = DataLoss("{}{} is missing", arch, key);
    const int64_t number = value.value_or(absent.value_or(0));
    return static_cast<int>(std::clamp<int64_t>(number, -1, 1 << 30));
  };
  for (const TensorInfo& tensor : gguf.tensors) {
    if (tensor.name == family.tensors.embedding && tensor.shape.size() == 2) {
      model.vocab_size = static_cast<int>(std::min<int64_t>(tensor.shape[0], 1 << 30));
    }
  }
  model.hidden_size = size(".embedding_length");
  model.intermediate_size = size(".feed_forward_length");
  model.num_layers = size(".block_count");
  model.num_heads = size(".attention.head_count");
  model.num_kv_heads = size(".attention.head_count_kv", model.num_heads);
  model.max_position_embeddings = size(".context_length");
  model.head_dim =
      size(".attention.key_length", model.num_heads > 0 ? model.hidden_size / model.num_heads : 0);
  EG_RETURN_IF_ERROR(missing);
  model.rms_norm_eps =
      static_cast<float>(gguf.Number(arch + ".attention.layer_norm_rms_epsilon").value_or(1e-5));
  model.tied_lm_head = !HasTensor(gguf, family.tensors.lm_head);
  model.qkv_bias = HasTensor(gguf, "blk.0.attn_q.bias") || HasTensor(gguf, "blk.0.attn_qkv.bias");
  model.o_bias = HasTensor(gguf, "blk.0.attn_output.bias");
  model.mlp_bias = HasTensor(gguf, "blk.0.ffn_down.bias");
  model.qk_norm = family.qk_norm;
  EG_RETURN_IF_ERROR(RefuseUnsupported(gguf, arch, model));
  EG_RETURN_IF_ERROR(SetRope(gguf, arch, family.rope_layout, rope_factors, &model));
  SetEos(gguf, family.end_of_turn, &model);
  EG_ASSIGN_OR_RETURN(model.embedding, EmbeddingOf(gguf, arch));
  if (family.read != nullptr) EG_RETURN_IF_ERROR(family.read(gguf, &model));
  EG_RETURN_IF_ERROR(ValidateModelConfig(model));
  return model;
}

Result<GgufVocab> VocabFromGguf(const GgufFile& gguf) {
  const std::string prefix = "tokenizer.ggml.";
  GgufVocab vocab;
  vocab.model = gguf.String(prefix + "model").value_or("");
  vocab.pre = gguf.String(prefix + "pre").value_or("");
  const auto* tokens = gguf.Array<std::string>(prefix + "tokens");
  if (tokens == nullptr) return DataLoss("tokenizer.ggml.tokens is missing or no list of strings");
  vocab.tokens = *tokens;
  if (const auto* scores = gguf.Array<double>(prefix + "scores")) {
    for (double score : *scores) vocab.scores.push_back(static_cast<float>(score));
  }
  if (const auto* types = gguf.Array<int64_t>(prefix + "token_type")) {
    for (int64_t type : *types) vocab.types.push_back(static_cast<int32_t>(type));
  }
  if (const auto* merges = gguf.Array<std::string>(prefix + "merges")) vocab.merges = *merges;
  auto id = [&](const char* key) -> std::optional<int32_t> {
    const auto value = gguf.Int(prefix + key);
    return value ? std::optional(static_cast<int32_t>(std::clamp<int64_t>(*value, -1, 1 << 30)))
                 : std::nullopt;
  };
  vocab.bos = id("bos_token_id");
  vocab.eos = id("eos_token_id");
  vocab.eot = id("eot_token_id");
  vocab.unk = id("unknown_token_id");
  vocab.pad = id("padding_token_id");
  vocab.add_bos = gguf.Bool(prefix + "add_bos_token");
  vocab.add_eos = gguf.Bool(prefix + "add_eos_token");
  vocab.add_space_prefix = gguf.Bool(prefix + "add_space_prefix");
  vocab.chat_template = gguf.String("tokenizer.chat_template").value_or("");
  return vocab;
}

}  // namespace edgegate
