// Parameters of sampling. Their semantics and the order of operations are those of vLLM.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace edgegate {

struct SamplingParams {
  float temperature = 1.0f;  // 0: greedy
  float top_p = 1.0f;        // (0, 1]
  int top_k = 0;             // 0: off
  float min_p = 0.0f;        // [0, 1]
  float presence_penalty = 0.0f;
  float frequency_penalty = 0.0f;
  float repetition_penalty = 1.0f;  // over prompt and output; > 0
  std::vector<std::pair<int32_t, float>> logit_bias;
  uint64_t seed = 0;
  // Number of alternatives to report, most likely first; -1: no log-probabilities at all.
  int num_top_logprobs = -1;

  // True if the logits depend on the tokens so far.
  bool penalizes() const {
    return repetition_penalty != 1.0f || presence_penalty != 0.0f || frequency_penalty != 0.0f;
  }
};

struct TokenLogprob {
  int32_t token = 0;
  float logprob = 0;
};

// Log-probabilities are a log-softmax of the raw logits over the whole vocabulary, before bias,
// penalties and temperature.
struct SampledToken {
  int32_t token = 0;
  float logprob = 0;              // set when num_top_logprobs >= 0
  int32_t rank = 0;               // 1: the most likely token of the raw logits
  std::vector<TokenLogprob> top;  // [num_top_logprobs]
};

}  // namespace edgegate
