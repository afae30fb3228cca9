// Guesses of how a sequence goes on, without a second model: as it did the last time that its
// latest tokens came up in it (Yang et al. 2023, arXiv:2304.04487; Saxena 2023, prompt lookup
// decoding). A step then computes the guessed tokens beside the last one, and what is sampled after
// each tells whether the next one's result may be used: guesses change when tokens come, never
// which.
#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/guess_length.h"

namespace edgegate {

// One sequence's. Not thread-safe.
class PromptLookup {
 public:
  // Makes `guess` what follows `tokens`, at most `most` of them; none where they hold nothing
  // alike, or where guesses have been wrong lately.
  void Guess(const std::vector<int32_t>& tokens, int most, std::vector<int32_t>* guess);

  // Of the last guess, `computed` tokens were, of which the first `right` were right.
  void Learn(int computed, int right) { length_.Learn(computed, right); }

 private:
  GuessLength length_;
};

}  // namespace edgegate
