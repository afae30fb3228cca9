// Measures what steps cost on this machine with this model, and derives how much other work fits
// between two tokens of a running stream: prompt chunks (Agrawal et al. 2024, Sarathi-Serve, with
// its fixed token budget replaced by a measured one) and encoder slices.
#pragma once

#include <chrono>

namespace edgegate {

// Called by the engine loop's thread only. Pure: time comes in as durations.
class StepPace {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // `target` is the longest inter-token latency that a stream should see. 0: a small multiple of
  // the baseline; more while more requests wait than run, up to a limit that readers do not notice.
  explicit StepPace(Duration target) : target_(target) {}

  // The work of a step.
  struct Load {
    int decodes = 0;
    int draft_tokens = 0;
    int prompt_tokens = 0;
  };

  // Records that a step of this load took `took`.
  void Learn(const Load& load, Duration took);

  // Records the duration of an encoder slice.
  void LearnSlice(Duration took);

  // Duration of the longest recent encoder slice.
  Duration slice_time() const { return slice_time_; }

  // Baseline inter-token latency: the duration of a step that only decodes. 0 until there was one.
  Duration baseline_itl() const { return baseline_itl_; }

  // Time that a step may take beyond its decodes, while `running` sequences decode and `waiting`
  // ones have no token yet.
  Duration Spare(int running, int waiting) const;

  // Number of prompt tokens that fit into `spare`. At least a few, so that prompts make progress.
  int PromptTokens(Duration spare) const;

  // Number of prompt tokens of a step without decodes. The step still ends soon enough to take a
  // new request into account, and its chunks are large enough to be computed efficiently.
  int PromptTokensAlone() const;

  // Longest time that a step waits for the masks of its sequences, all together. If nobody else
  // waits for the next step (`others_wait` is false), this is the time in which the dropped rows
  // would be computed again: waiting then costs at most twice what the better choice would have.
  Duration MaskWait(bool others_wait) const;

 private:
  const Duration target_;
  Duration baseline_itl_{0};
  Duration token_cost_{0};  // per prompt token
  Duration slice_time_{0};
};

}  // namespace edgegate
