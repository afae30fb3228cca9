// Turns one sequence's tokens into text as they come.
#pragma once

#include <string>

#include "engine/text/vocabulary.h"

namespace edgegate {

// Owned by one thread.
class StreamDecoder {
 public:
  // `skip_special`: special tokens give no text. `vocabulary` must outlive this.
  StreamDecoder(const Vocabulary& vocabulary, bool skip_special)
      : vocabulary_(vocabulary), skip_special_(skip_special) {}

  // The text that `id` completes: whole UTF-8 characters only; the bytes of an unfinished one are
  // held back. Concatenated with Finish(), it equals Decode() of all the ids.
  std::string Push(int32_t id);
  // What is still held back, as U+FFFD.
  std::string Finish();

 private:
  const Vocabulary& vocabulary_;
  const bool skip_special_;
  bool at_start_ = true;
  std::string held_;
};

}  // namespace edgegate
