// How many tokens to guess, learned from how many of the last ones were right.
#pragma once

namespace edgegate {

// One sequence's, for one way of guessing. Not thread-safe.
class GuessLength {
 public:
  // Of the next guess; 0: none in this step, since guesses have been wrong lately.
  int Next();

  // Of the last guess, `computed` tokens were, of which the first `right` were right.
  void Learn(int computed, int right);

 private:
  int length_ = 4;
  int misses_ = 0;  // guesses in a row of which nothing was right
  int pause_ = 0;   // guesses to leave out
};

}  // namespace edgegate
