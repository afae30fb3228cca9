// Prompt-lookup drafts (Yang et al. 2023, arXiv:2304.04487; Saxena 2023, prompt lookup decoding):
// the draft is the text that followed the latest earlier occurrence of the sequence's last n
// tokens. No second model is needed. The draft length depends on the acceptance rate observed for
// each n-gram length.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace edgegate {

// State of one sequence. Not thread-safe.
class PromptLookup {
 public:
  static constexpr int kMaxNgram = 6;  // longer matches predict no better

  // Replaces `draft` by at most `max_tokens` draft tokens that continue `tokens`. The longest
  // matching n-gram decides; among equally long ones the latest. The draft is empty if no n-gram of
  // at least `min_ngram` (1 to kMaxNgram) tokens matches, or if such drafts were rejected lately.
  // Time: linear in the number of tokens.
  void Propose(const std::vector<int32_t>& tokens, int max_tokens, int min_ngram,
               std::vector<int32_t>* draft);

  // Reports the outcome of the last draft: `computed` tokens were checked, and the first `accepted`
  // of them were accepted.
  void Learn(int computed, int accepted);

 private:
  int LengthFor(int ngram);

  int ngram_ = 1;  // length of the n-gram that the last draft matched
  // For each n-gram length, less one: the estimated probability that the next draft token is
  // accepted, and the number of drafts left out because it was too low.
  std::array<float, kMaxNgram> acceptance_{0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f};
  std::array<uint8_t, kMaxNgram> skipped_{};
};

}  // namespace edgegate
