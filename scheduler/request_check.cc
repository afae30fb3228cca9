#include "scheduler/request_check.h"

#include <algorithm>

#include "scheduler/block_manager.h"
#include "scheduler/generation_stream.h"

namespace edgegate {
namespace {

constexpr int kMaxAlternatives = 100;  // log-probabilities reported beside a token's own

Status CheckCounts(const GenerationRequest& request) {
  if (request.prompt.empty()) return InvalidArgument("the prompt is empty");
  if (request.max_tokens < 1 || request.num_sequences < 1 ||
      request.num_sequences > GenerationStream::kMaxSequences) {
    return InvalidArgument("max_tokens must be at least 1, and n 1 to {}",
                           GenerationStream::kMaxSequences);
  }
  if (std::max(request.sampling.num_top_logprobs, request.num_prompt_logprobs) > kMaxAlternatives) {
    return InvalidArgument("at most {} alternatives to a token are reported", kMaxAlternatives);
  }
  return {};
}

Status CheckTokens(const GenerationRequest& request, const RunnerLimits& limits) {
  for (int32_t token : request.prompt) {
    if (token < 0 || token >= limits.vocab_size) {
      return InvalidArgument("prompt token id {} is out of range: the vocabulary has {}", token,
                             limits.vocab_size);
    }
  }
  return {};
}

Status CheckMedia(const GenerationRequest& request, const RunnerLimits& limits) {
  int64_t end = 0;
  for (const PromptMedia& media : request.media) {
    if (!limits.media) return InvalidArgument("the model takes text only");
    EG_ASSIGN_OR_RETURN(const MediaLayout layout, limits.media->Layout(media.item));
    if (media.position < end) return Internal("media overlap at position {}", media.position);
    end = int64_t{media.position} + layout.rows;
  }
  if (end > static_cast<int64_t>(request.prompt.size())) {
    return Internal("an item of media reaches beyond the prompt's end");
  }
  return {};
}

Status CheckLength(const GenerationRequest& request, const RunnerLimits& limits) {
  const int64_t length = static_cast<int64_t>(request.prompt.size()) + request.max_tokens;
  if (length > limits.max_model_len ||
      BlocksFor(static_cast<int>(length), limits.block_size) > limits.num_blocks) {
    return InvalidArgument("{} prompt tokens and {} to generate pass the limit of {}",
                           request.prompt.size(), request.max_tokens, limits.max_model_len);
  }
  return {};
}

}  // namespace

Status CheckRequest(const GenerationRequest& request, const RunnerLimits& limits) {
  EG_RETURN_IF_ERROR(CheckCounts(request));
  EG_RETURN_IF_ERROR(CheckTokens(request, limits));
  EG_RETURN_IF_ERROR(CheckMedia(request, limits));
  return CheckLength(request, limits);
}

}  // namespace edgegate
