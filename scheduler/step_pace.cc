#include "scheduler/step_pace.h"

#include <algorithm>
#include <limits>

namespace edgegate {
namespace {

constexpr int kSmoothing = 8;
constexpr int kSliceDecay = 64;  // slices; longer than a run of short ones
// Steps with other work may take twice the baseline. That is below the documented three times,
// because the learned values are averages.
constexpr double kSpareSteps = 1.0;
constexpr int kMinTokens = 4;
// A person reads at most 20 tokens per second. The baseline of a small model is far below 50 ms. If
// the target were only a multiple of the baseline, a few streams would run fast while many requests
// wait.
constexpr StepPace::Duration kUnnoticedItl = std::chrono::milliseconds(50);
// Bounds of a step without decodes.
constexpr StepPace::Duration kMaxAlone = std::chrono::milliseconds(1500);
constexpr int kMinTokensAlone = 256, kTokenMultipleAlone = 128;

// Least waits for masks.
constexpr StepPace::Duration kMinMaskWait = std::chrono::milliseconds(2);
constexpr StepPace::Duration kMinMaskWaitAlone = std::chrono::milliseconds(10);

void Smooth(StepPace::Duration* value, StepPace::Duration sample) {
  *value = *value == StepPace::Duration(0) ? sample : *value + (sample - *value) / kSmoothing;
}

}  // namespace

void StepPace::Learn(const Load& load, Duration took) {
  if (load.prompt_tokens == 0) {
    // Decodes without draft tokens take no longer than decodes with them.
    if (load.draft_tokens == 0 || baseline_itl_ == Duration(0) || took < baseline_itl_) {
      Smooth(&baseline_itl_, took);
    }
    return;
  }
  const bool decodes = load.decodes > 0;
  if (decodes && baseline_itl_ == Duration(0)) return;  // the two costs cannot be separated
  const Duration prompt = decodes ? std::max(took - baseline_itl_, Duration(0)) : took;
  Smooth(&token_cost_, std::max(prompt / load.prompt_tokens, Duration(1)));
}

void StepPace::LearnSlice(Duration took) {
  slice_time_ = std::max(took, slice_time_ - slice_time_ / kSliceDecay);
}

StepPace::Duration StepPace::Spare(int running, int waiting) const {
  const auto up_to = [&](Duration itl) { return std::max(itl - baseline_itl_, Duration(0)); };
  if (target_ > Duration(0)) return up_to(target_);
  // One prompt beside one stream changes nothing. The more sequences wait for each running one, the
  // more time they get.
  const double crowd = static_cast<double>(waiting) / std::max(running, 1);
  const auto crowded = std::chrono::duration_cast<Duration>(baseline_itl_ * crowd * crowd);
  return std::max(std::chrono::duration_cast<Duration>(baseline_itl_ * kSpareSteps),
                  std::min(crowded, up_to(kUnnoticedItl)));
}

int StepPace::PromptTokens(Duration spare) const {
  if (baseline_itl_ == Duration(0) || token_cost_ == Duration(0)) {
    return std::numeric_limits<int>::max();
  }
  const auto tokens = std::min<int64_t>(spare / token_cost_, std::numeric_limits<int>::max());
  return std::max(kMinTokens, static_cast<int>(tokens));
}

int StepPace::PromptTokensAlone() const {
  return std::max(kMinTokensAlone,
                  PromptTokens(kMaxAlone) / kTokenMultipleAlone * kTokenMultipleAlone);
}

StepPace::Duration StepPace::MaskWait(bool others_wait) const {
  return others_wait ? std::max(kMinMaskWait, baseline_itl_ / 4)
                     : std::max(kMinMaskWaitAlone, baseline_itl_);
}

}  // namespace edgegate
