// What steps cost on this machine with this model, learned while they run, and how much else fits
// between two tokens of a running stream: a prompt's chunk (Agrawal et al. 2024, Sarathi-Serve,
// with its fixed token budget replaced by a measured one) and units of pictures.
#pragma once

#include <chrono>

namespace edgegate {

// Called by the engine loop's thread only. Pure: time comes in as durations.
class StepPace {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // `target` is the longest gap that a stream should see; 0: some usual gaps, and more where more
  // wait than run, up to what readers do not notice.
  explicit StepPace(Duration target) : target_(target) {}

  // What a step computed.
  struct Load {
    int decodes = 0;
    int guesses = 0;
    int prompt_tokens = 0;
  };

  // A step of this load took so long.
  void Learn(const Load& load, Duration took);

  // A unit of a picture took so long.
  void LearnUnit(Duration took);

  // What the longest of the latest units took.
  Duration unit() const { return unit_; }

  // What a step that only decodes takes; 0 while there has been none.
  Duration usual() const { return usual_; }

  // Time that a step may take beyond its decodes, of which there are `running`, while so many
  // others wait for their first token.
  Duration Spare(int running, int waiting) const;

  // Prompt tokens that `spare` is enough for; always a few, so that prompts get on.
  int PromptTokens(Duration spare) const;

 private:
  const Duration target_;
  Duration usual_{0};
  Duration token_cost_{0};
  Duration unit_{0};
};

}  // namespace edgegate
