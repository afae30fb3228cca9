// What a running stream notices of others' work.
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

// How many tokens of the KV cache the two measurements below need beside the prompt's.
inline constexpr int kBesideTokens = 1024;

// A stream decodes; then another request comes, of `prompt` random tokens, and, for models that
// take pictures, one that shows a picture. Tokens are random. The gaps of what the runner cannot
// hold are an error.
class BesideBench {
 public:
  explicit BesideBench(std::unique_ptr<ModelRunner> runner);
  ~BesideBench();

  Result<Gaps> Prompt(int prompt);
  Result<Gaps> Picture(PreparedPixels pixels, int question);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
