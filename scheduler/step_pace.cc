#include "scheduler/step_pace.h"

#include <algorithm>
#include <limits>

namespace edgegate {
namespace {

constexpr int kSmoothing = 8;
constexpr int kForgetting = 64;  // units: longer than a row of short ones
// A stream's gap grows to twice its usual one: below the three that are promised, since what is
// learned is an average.
constexpr double kSpareSteps = 1.0;
constexpr int kFewestTokens = 4;
// Twenty tokens a second are faster than anyone reads. A small model's usual gap is far below it:
// kept to some of those, a few streams would run fast while a crowd waits to begin.
constexpr StepPace::Duration kUnnoticed = std::chrono::milliseconds(50);

void Smooth(StepPace::Duration* value, StepPace::Duration sample) {
  *value = *value == StepPace::Duration(0) ? sample : *value + (sample - *value) / kSmoothing;
}

}  // namespace

void StepPace::Learn(const Load& load, Duration took) {
  if (load.prompt_tokens == 0) {
    // Decoding alone takes no longer than beside guesses.
    if (load.guesses == 0 || usual_ == Duration(0) || took < usual_) Smooth(&usual_, took);
    return;
  }
  const bool decodes = load.decodes > 0;
  if (decodes && usual_ == Duration(0)) return;  // whose share is whose cannot be told
  const Duration prompt = decodes ? std::max(took - usual_, Duration(0)) : took;
  Smooth(&token_cost_, std::max(prompt / load.prompt_tokens, Duration(1)));
}

void StepPace::LearnUnit(Duration took) { unit_ = std::max(took, unit_ - unit_ / kForgetting); }

StepPace::Duration StepPace::Spare(int running, int waiting) const {
  const auto below = [&](Duration gap) { return std::max(gap - usual_, Duration(0)); };
  if (target_ > Duration(0)) return below(target_);
  // One prompt beside one stream changes nothing; the more wait for each that runs, the more they
  // get.
  const double crowd = static_cast<double>(waiting) / std::max(running, 1);
  const auto crowded = std::chrono::duration_cast<Duration>(usual_ * crowd * crowd);
  return std::max(std::chrono::duration_cast<Duration>(usual_ * kSpareSteps),
                  std::min(crowded, below(kUnnoticed)));
}

int StepPace::PromptTokens(Duration spare) const {
  if (usual_ == Duration(0) || token_cost_ == Duration(0)) return std::numeric_limits<int>::max();
  const auto tokens = std::min<int64_t>(spare / token_cost_, std::numeric_limits<int>::max());
  return std::max(kFewestTokens, static_cast<int>(tokens));
}

}  // namespace edgegate
