// Measures how other requests' work slows a running stream down.
#pragma once

#include <memory>

#include "engine/base/status.h"
#include "engine/model/model_runner.h"

namespace edgegate {

struct Gaps {
  double usual_s = 0;        // median gap between the stream's tokens, alone
  double beside_s = 0;       // median while the other request is worked on
  double p99_s = 0;          // of those
  double longest_s = 0;      // of those
  double first_token_s = 0;  // the other request's, from its submission
};

// The tokens that the stream may get beside a prompt of so many tokens, of which a step takes four
// or more: what the measurements below need of the KV cache beside the prompt's.
constexpr int BesideTokens(int prompt) { return 512 + prompt / 3; }

// A stream decodes; then another request comes, of `prompt` random tokens, and, for models that
// take images, one that shows an image. Tokens are random. The gaps of what the runner cannot
// hold are an error.
class BesideBench {
 public:
  explicit BesideBench(std::unique_ptr<ModelRunner> runner);
  ~BesideBench();

  Result<Gaps> Prompt(int prompt);
  Result<Gaps> Image(MediaItem item, int question);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
