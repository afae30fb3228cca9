// Turns the tokens of one sequence into text, one at a time.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/text/vocabulary.h"

namespace edgegate {

// Owned by one thread.
class StreamDecoder {
 public:
  // `skip_special`: special tokens give no text, except those of `kept`. `vocabulary` must outlive
  // this.
  StreamDecoder(const Vocabulary& vocabulary, bool skip_special, std::vector<int32_t> kept = {})
      : vocabulary_(vocabulary), skip_special_(skip_special), kept_(std::move(kept)) {}

  // Returns the text that `id` completes: whole UTF-8 characters only. The bytes of an unfinished
  // character are kept for the next call. All results together with Finish() equal Decode() of all
  // ids.
  std::string Push(int32_t id);
  // Returns U+FFFD for bytes of an unfinished character, if any.
  std::string Finish();

 private:
  const Vocabulary& vocabulary_;
  const bool skip_special_;
  const std::vector<int32_t> kept_;
  bool at_start_ = true;
  std::string held_;
};

}  // namespace edgegate
