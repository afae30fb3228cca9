// Measures the inter-token latency of a stream while another request is processed.
#pragma once

#include <memory>

#include "engine/base/status.h"
#include "engine/model/model_runner.h"

namespace edgegate {

struct StreamLatency {
  double baseline_itl_s = 0;  // median inter-token latency while the stream is alone
  // Inter-token latency of the stream while the other request is processed:
  double itl_median_s = 0;
  double itl_p99_s = 0;
  double itl_max_s = 0;
  double first_token_s = 0;  // time to the other request's first token, from its submission
};

// Largest number of tokens of the stream beside a prompt of `prompt` tokens. A step takes four or
// more tokens of that prompt. The KV cache must have room for these tokens and for the prompt.
constexpr int BesideTokens(int prompt) { return 512 + prompt / 3; }

// Starts a stream of random tokens, and then another request. Measures the stream before and during
// that request. Returns an error if the KV cache is too small for both.
class BesideBench {
 public:
  explicit BesideBench(std::unique_ptr<ModelRunner> runner);
  ~BesideBench();

  // The other request is a prompt of `prompt` random tokens.
  Result<StreamLatency> Prompt(int prompt);
  // The other request is `item` and a question of `question` random tokens. The model must take
  // images.
  Result<StreamLatency> Image(MediaItem item, int question);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
