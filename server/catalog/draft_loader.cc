#include "server/catalog/draft_loader.h"

#include <algorithm>

#include "engine/ops/attention/kv_cache.h"

namespace edgegate {
namespace {

constexpr int kMostTokens = 128;  // tokens of one pass

// Checks that the draft model can draft for the target model. The error tells why it cannot.
Status CheckPair(const Bundle& draft, const Bundle& target, const Vocabulary& target_vocabulary) {
  if (draft.text_encoder() != nullptr) return InvalidArgument("it computes embeddings only");
  const ModelConfig& ours = draft.weights().config;
  const ModelConfig& theirs = target.weights().config;
  if (ours.media || theirs.media) {
    return InvalidArgument("{} takes images, which is not supported",
                           ours.media ? "the draft" : "the model");
  }
  if (ours.vocab_size != theirs.vocab_size) {
    return InvalidArgument("its vocabulary has {} tokens, the model's {}", ours.vocab_size,
                           theirs.vocab_size);
  }
  EG_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::Make(draft.tokenizer_assets()));
  for (int id = 0; id < ours.vocab_size; ++id) {
    if (tokenizer->TokenBytes(id) != target_vocabulary.TokenBytes(id)) {
      return InvalidArgument("its token {} is another one", id);
    }
  }
  return {};
}

// Returns the size of the draft model's KV cache. It has room for all sequences that may have draft
// tokens in one step, but takes at most a quarter of `engine.kv_cache_mb`.
int64_t KvCacheBytes(const ModelConfig& config, const Settings& settings,
                     const RunnerOptions& options) {
  const int64_t tokens = int64_t{options.max_logits_rows} * (options.max_model_len + kKvBlock);
  return std::min((int64_t{settings.kv_cache_mb} << 20) / 4,
                  tokens * DecoderRunner::KvBytesPerToken(config, options.kv_cache_type));
}

}  // namespace

Status LoadDraft(const ModelSetting& model, const Settings& settings,
                 const std::function<bool()>& stop, SharedResources* resources,
                 LoadedModel* loaded) {
  ModelSetting draft;
  draft.path = model.draft;
  EG_ASSIGN_OR_RETURN(loaded->draft_bundle, OpenBundle(draft, settings, stop, resources));
  const Status pair =
      CheckPair(*loaded->draft_bundle, *loaded->bundle, loaded->served.text->vocabulary());
  if (!pair.ok()) {
    return pair.WithContext(model.draft + " cannot draft for " + model.path);
  }
  const ModelConfig& config = loaded->draft_bundle->weights().config;
  const RunnerLimits& target = loaded->runner->limits();
  RunnerOptions options;
  options.pool = resources->pool.get();
  options.max_batched_tokens = std::min(settings.max_num_batched_tokens, kMostTokens);
  options.max_logits_rows =
      std::max(1, target.cheap_rows / 2);  // sequences, with a draft token each
  options.max_model_len = std::min(config.max_position_embeddings, target.max_model_len);
  EG_ASSIGN_OR_RETURN(options.kv_cache_type, ParseKvType(settings.kv_cache_type));
  options.kv_cache_bytes = KvCacheBytes(config, settings, options);
  loaded->memory.kv_cache += options.kv_cache_bytes;
  EG_ASSIGN_OR_RETURN(loaded->draft, DecoderRunner::Make(loaded->draft_bundle->weights(), options));
  return {};
}

}  // namespace edgegate
