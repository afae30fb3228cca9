#include "scheduler/prompt_lookup.h"

#include <algorithm>

namespace edgegate {
namespace {

constexpr int kMaxLength = 16;
// A draft token lengthens a step by less than a tenth. A draft therefore ends at the first token
// whose estimated probability of acceptance is below a tenth.
constexpr float kMinProbability = 0.1f;
constexpr float kSmoothing = 1.0f / 8;
constexpr int kMaxSkipped = 8;  // drafts left out in a row before one token is tried

// Number of tokens that the prefix of length `end` and the whole text have in common at their ends,
// at most kMaxNgram.
int CommonSuffix(const std::vector<int32_t>& tokens, int end) {
  const int size = static_cast<int>(tokens.size());
  int ngram = 0;
  while (ngram < std::min(PromptLookup::kMaxNgram, end) &&
         tokens[end - 1 - ngram] == tokens[size - 1 - ngram]) {
    ++ngram;
  }
  return ngram;
}

}  // namespace

int PromptLookup::LengthFor(int ngram) {
  const size_t i = static_cast<size_t>(ngram) - 1;
  int length = 0;
  for (float probability = acceptance_[i]; probability >= kMinProbability && length < kMaxLength;
       probability *= acceptance_[i]) {
    ++length;
  }
  if (length == 0 && ++skipped_[i] == kMaxSkipped) {
    skipped_[i] = 0;
    return 1;
  }
  return length;
}

void PromptLookup::Learn(int computed, int accepted) {
  if (computed == 0) return;
  // Each accepted token makes the matching n-gram one token longer.
  for (int i = 0; i < computed && i <= accepted; ++i) {
    float& rate = acceptance_[static_cast<size_t>(std::min(ngram_ + i, kMaxNgram)) - 1];
    rate += ((i < accepted ? 1.0f : 0.0f) - rate) * kSmoothing;
  }
}

void PromptLookup::Propose(const std::vector<int32_t>& tokens, int max_tokens, int min_ngram,
                           std::vector<int32_t>* draft) {
  draft->clear();
  if (max_tokens <= 0) return;
  const int size = static_cast<int>(tokens.size());
  int best = min_ngram - 1, from = 0;
  for (int end = size - 1; end >= min_ngram && best < kMaxNgram; --end) {
    if (tokens[end - 1] != tokens[size - 1]) continue;
    if (const int ngram = CommonSuffix(tokens, end); ngram > best) {
      best = ngram;
      from = end;
    }
  }
  if (from == 0) return;
  ngram_ = best;
  const int length = std::min(LengthFor(best), max_tokens);
  // A match that overlaps the end of the text continues in the draft itself.
  for (int i = 0; i < length; ++i) {
    draft->push_back(from + i < size ? tokens[from + i] : (*draft)[from + i - size]);
  }
}

}  // namespace edgegate
