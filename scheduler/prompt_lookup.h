// Guesses of how a sequence goes on, without a second model: as it did the last time that its
// latest tokens came up in it (Yang et al. 2023, arXiv:2304.04487; Saxena 2023, prompt lookup
// decoding). A step then computes the guessed tokens beside the last one, and what is sampled after
// each tells whether the next one's result may be used: guesses change when tokens come, never
// which.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace edgegate {

// One sequence's. Not thread-safe.
class PromptLookup {
 public:
  static constexpr int kMostAlike = 6;  // more tokens in a row tell no more

  // Makes `guess` what follows `tokens`, at most `most` of them: none where not even the last
  // `least_alike` (1 .. kMostAlike) of them came up before, or where that has not told much lately.
  void Guess(const std::vector<int32_t>& tokens, int most, int least_alike,
             std::vector<int32_t>* guess);

  // Of the last guess, `computed` tokens were, of which the first `right` were right.
  void Learn(int computed, int right);

 private:
  int LengthFor(int alike);

  int alike_ = 1;  // of the last guess: how many tokens before it came up before it, too
  // How likely a further token is right after so many (less one) alike, and how often that was too
  // little to guess.
  std::array<float, kMostAlike> odds_{0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f};
  std::array<uint8_t, kMostAlike> rests_{};
};

}  // namespace edgegate
