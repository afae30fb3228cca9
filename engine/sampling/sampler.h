// Chooses the next token from a row of logits, in vLLM's order of operations: log-probabilities of
// the raw row, forbidden ids, logit bias, penalties; then either the most likely token, or
// temperature, min_p, top_k, top_p and a random draw.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/base/status.h"
#include "engine/sampling/sampling_params.h"

namespace edgegate {

// Tokens of a sequence so far. Filled only if penalties need it. Owned by one thread.
struct TokenCounts {
  std::unordered_map<int32_t, int> output;  // occurrences of each generated id
  // The prompt's distinct ids, ascending, for repetition_penalty. The caller owns the memory.
  std::span<const int32_t> prompt;
};

// Philox4x32-10, a counter-based generator (Salmon et al. 2011, "Parallel random numbers: as easy
// as 1, 2, 3").
std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// Returns a uniform random number in [0, 1) that depends on (seed, position) alone.
double CounterUniform(uint64_t seed, uint64_t position);

// The ids that may be sampled.
struct AllowedTokens {
  const std::vector<bool>& valid;           // [vocab_size]: ids of the tokenizer
  std::span<const uint32_t> permitted;      // mask: bit id % 32 of word id / 32; empty: all ids
  std::span<const int32_t> forbidden = {};  // ascending

  bool operator[](size_t id) const {
    return valid[id] && (permitted.empty() || (permitted[id / 32] >> (id % 32) & 1) != 0) &&
           (forbidden.empty() ||
            !std::binary_search(forbidden.begin(), forbidden.end(), static_cast<int32_t>(id)));
  }
};

struct TokenLogit {
  int32_t token;
  float logit;
};

// Keeps only scratch memory between calls. Owned by one thread.
class Sampler {
 public:
  // Returns the token for output position `position`. `logits`: [vocab_size]. `seed_offset` is
  // added to the seed of `params`. kInternal if the row contains NaN or no allowed id has a finite
  // logit. The same arguments give the same bytes.
  Result<SampledToken> Sample(std::span<const float> logits, const AllowedTokens& allowed,
                              const SamplingParams& params, const TokenCounts& counts,
                              uint64_t position, uint64_t seed_offset = 0);

 private:
  std::vector<float> adjusted_;  // the row after bias and penalties
  std::vector<TokenLogit> candidates_;
  std::vector<double> weights_;
};

// Writes the log-probability of each of `tokens` in the raw row to `out`. They are the bytes of
// DescribeToken(). kInternal if the row contains NaN or has no finite logit.
Status TokenLogprobs(std::span<const float> logits, std::span<const int32_t> tokens, float* out);

// Returns the log-probability and rank of `token` in the raw row, and the `num_top` most likely
// valid ids (by falling log-probability, then by rising id).
SampledToken DescribeToken(std::span<const float> logits, const std::vector<bool>& valid,
                           int32_t token, int num_top);

}  // namespace edgegate
