#include "engine/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/portable_math.h"

namespace edgegate {
namespace {

// Orders by falling logit. Ties are broken by id, so that the order is unique.
bool Before(const TokenLogit& a, const TokenLogit& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
}

// Adds in sixteen partial sums, so that the order of additions does not depend on the compiler.
double LogSumExp(std::span<const float> logits) {
  float largest = -std::numeric_limits<float>::infinity();
  for (float logit : logits) largest = std::max(largest, logit);
  double sums[16] = {};
  size_t i = 0;
  for (; i + 16 <= logits.size(); i += 16) {
    for (size_t j = 0; j < 16; ++j) sums[j] += PortableExp(double{logits[i + j]} - largest);
  }
  for (; i < logits.size(); ++i) sums[0] += PortableExp(double{logits[i]} - largest);
  double total = 0;
  for (double sum : sums) total += sum;
  return largest + PortableLog(total);
}

// Returns the row after bias and penalties: `logits` itself if there are none, else `adjusted`.
std::span<const float> Adjust(std::span<const float> logits, const SamplingParams& params,
                              const TokenCounts& counts, std::vector<float>* adjusted) {
  if (!params.penalizes() && params.logit_bias.empty()) return logits;
  adjusted->assign(logits.begin(), logits.end());
  std::vector<float>& row = *adjusted;
  auto in_row = [&](int32_t token) { return token >= 0 && token < static_cast<int>(row.size()); };
  for (auto [token, bias] : params.logit_bias) {
    if (in_row(token)) row[static_cast<size_t>(token)] += bias;
  }
  auto repeat = [&](int32_t token) {
    if (!in_row(token)) return;
    float& logit = row[static_cast<size_t>(token)];
    logit = logit > 0 ? logit / params.repetition_penalty : logit * params.repetition_penalty;
  };
  if (params.repetition_penalty != 1.0f) {
    for (int32_t token : counts.prompt) repeat(token);
    for (auto [token, count] : counts.output) {
      if (!std::binary_search(counts.prompt.begin(), counts.prompt.end(), token)) repeat(token);
    }
  }
  for (auto [token, count] : counts.output) {
    if (!in_row(token)) continue;
    row[static_cast<size_t>(token)] -=
        params.frequency_penalty * static_cast<float>(count) + params.presence_penalty;
  }
  return row;
}

int32_t Greedy(std::span<const float> logits, const AllowedTokens& allowed) {
  int32_t best = -1;
  float largest = -std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > largest && allowed[i]) {
      largest = logits[i];
      best = static_cast<int32_t>(i);
    }
  }
  return best;
}

// Finds the allowed ids that min_p and top_k keep, most likely first. Ids whose weight is
// negligible in double precision are left out, so that few need sorting.
void FindCandidates(std::span<const float> logits, const AllowedTokens& allowed,
                    const SamplingParams& params, float largest, std::vector<TokenLogit>* found) {
  float floor = largest - 40.0f * params.temperature;
  if (params.min_p > 0) {
    floor = std::max(floor, largest + params.temperature *
                                          static_cast<float>(PortableLog(double{params.min_p})));
  }
  std::vector<TokenLogit>& candidates = *found;
  candidates.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] >= floor && allowed[i]) {
      candidates.push_back({static_cast<int32_t>(i), logits[i]});
    }
  }
  const auto k = static_cast<size_t>(params.top_k);
  if (k > 0 && k < candidates.size()) {
    std::nth_element(candidates.begin(), candidates.begin() + params.top_k, candidates.end(),
                     Before);
    candidates.resize(k);
  }
  std::sort(candidates.begin(), candidates.end(), Before);
}

// Draws a candidate at random. `room`: scratch for the weights of the candidates.
int32_t Draw(const std::vector<TokenLogit>& candidates, const SamplingParams& params, uint64_t seed,
             uint64_t position, std::vector<double>* room) {
  std::vector<double>& weights = *room;
  weights.clear();
  double total = 0;
  for (const TokenLogit& c : candidates) {
    const double logit = (double{c.logit} - double{candidates[0].logit}) / params.temperature;
    weights.push_back(PortableExp(logit));
    total += weights.back();
  }
  // top_p keeps the shortest prefix whose probability reaches it.
  double kept = 0;
  size_t count = 0;
  while (count < weights.size()) {
    kept += weights[count++];
    if (kept >= double{params.top_p} * total && params.top_p < 1.0f) break;
  }
  double left = CounterUniform(seed, position) * kept;
  for (size_t i = 0; i < count; ++i) {
    left -= weights[i];
    if (left < 0) return candidates[i].token;
  }
  return candidates[count - 1].token;
}

}  // namespace

std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

double CounterUniform(uint64_t seed, uint64_t position) {
  const auto words =
      Philox({static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32), 0, 0},
             {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  const uint64_t bits = uint64_t{words[1]} << 32 | words[0];
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

Status TokenLogprobs(std::span<const float> logits, std::span<const int32_t> tokens, float* out) {
  const double normalizer = LogSumExp(logits);
  if (!std::isfinite(normalizer)) return Internal("the model gave logits that are not numbers");
  for (const int32_t token : tokens) {
    *out++ = static_cast<float>(logits[static_cast<size_t>(token)] - normalizer);
  }
  return {};
}

SampledToken DescribeToken(std::span<const float> logits, const std::vector<bool>& valid,
                           int32_t token, int num_top) {
  SampledToken out;
  out.token = token;
  const double normalizer = LogSumExp(logits);
  const float own = logits[static_cast<size_t>(token)];
  out.logprob = static_cast<float>(own - normalizer);
  out.rank = 1;
  std::vector<TokenLogit> top;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > own) ++out.rank;
    if (num_top == 0 || !valid[i]) continue;
    const TokenLogit c{static_cast<int32_t>(i), logits[i]};
    if (static_cast<int>(top.size()) == num_top && !Before(c, top.back())) continue;
    top.insert(std::upper_bound(top.begin(), top.end(), c, Before), c);
    if (static_cast<int>(top.size()) > num_top) top.pop_back();
  }
  for (const TokenLogit& c : top) {
    out.top.push_back({c.token, static_cast<float>(c.logit - normalizer)});
  }
  return out;
}

Result<SampledToken> Sampler::Sample(std::span<const float> logits, const AllowedTokens& allowed,
                                     const SamplingParams& params, const TokenCounts& counts,
                                     uint64_t position, uint64_t seed_offset) {
  for (float logit : logits) {
    if (std::isnan(logit)) return Internal("the model gave a logit that is not a number");
  }
  const std::span<const float> row = Adjust(logits, params, counts, &adjusted_);
  int32_t token = Greedy(row, allowed);
  if (token < 0) return Internal("the model gave no token that may be sampled");
  if (params.temperature >= 1e-5f) {
    const float largest = row[static_cast<size_t>(token)];
    FindCandidates(row, allowed, params, largest, &candidates_);
    token = Draw(candidates_, params, params.seed + seed_offset, position, &weights_);
  }
  if (params.num_top_logprobs < 0) return SampledToken{token, 0, 0, {}};
  return DescribeToken(logits, allowed.valid, token, params.num_top_logprobs);
}

}  // namespace edgegate
