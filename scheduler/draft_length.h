// Number of draft tokens that are worth computing, adapted to how many of the last ones were
// accepted.
#pragma once

namespace edgegate {

// State of one sequence and one source of draft tokens. Not thread-safe.
class DraftLength {
 public:
  // Length of the next draft. 0: this step computes no draft tokens, because the last drafts were
  // rejected. The pause doubles with each rejected draft, up to 62 steps.
  int Next();

  // Reports the outcome of the last draft: `computed` tokens were checked, and the first `accepted`
  // of them were accepted. A fully accepted draft doubles the length; a rejected one halves it.
  void Learn(int computed, int accepted);

 private:
  int length_ = 4;
  int misses_ = 0;  // consecutive drafts without an accepted token
  int pause_ = 0;   // steps without a draft that remain
};

}  // namespace edgegate
