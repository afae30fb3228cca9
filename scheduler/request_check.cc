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

// Every branch has a row, and each row is after a token that the branch computes.
Status CheckBranches(const GenerationRequest& request, const RunnerLimits& limits) {
  const auto in_vocabulary = [&](int32_t id) { return id >= 0 && id < limits.vocab_size; };
  if (!request.branches.empty() && request.num_sequences != 1) {
    return InvalidArgument("a request with branches has one sequence");
  }
  for (const ScoreBranch& branch : request.branches) {
    bool good = !branch.rows.empty() && std::ranges::all_of(branch.tokens, in_vocabulary);
    int64_t last = -1;
    for (const ScoreRow& row : branch.rows) {
      good = good && row.offset > last && row.offset <= std::ssize(branch.tokens) &&
             !row.tokens.empty() && std::ranges::all_of(row.tokens, in_vocabulary);
      last = row.offset;
    }
    if (!good) return InvalidArgument("a branch is malformed");
  }
  return {};
}

// Most tokens that a sequence of the request has after its prompt.
int64_t MostTokens(const GenerationRequest& request) {
  if (request.branches.empty()) return request.max_tokens;
  int64_t most = 0;
  for (const ScoreBranch& branch : request.branches) {
    most = std::max(most, std::ssize(branch.tokens));
  }
  return most;
}

Status CheckLength(const GenerationRequest& request, const RunnerLimits& limits) {
  const int64_t more = MostTokens(request);
  const int64_t length = static_cast<int64_t>(request.prompt.size()) + more;
  if (length > limits.max_model_len ||
      BlocksFor(static_cast<int>(length), limits.block_size) > limits.num_blocks) {
    return InvalidArgument("{} prompt tokens and {} to generate pass the limit of {}",
                           request.prompt.size(), more, limits.max_model_len);
  }
  return {};
}

}  // namespace

Status CheckRequest(const GenerationRequest& request, const RunnerLimits& limits) {
  EG_RETURN_IF_ERROR(CheckCounts(request));
  EG_RETURN_IF_ERROR(CheckTokens(request, limits));
  EG_RETURN_IF_ERROR(CheckMedia(request, limits));
  EG_RETURN_IF_ERROR(CheckBranches(request, limits));
  return CheckLength(request, limits);
}

}  // namespace edgegate
