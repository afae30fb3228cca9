// Converts the tokens of one sequence to the text that its client gets. Returns whole characters
// only. Ends the text at a stop string and sends no part of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/text/stream_decoder.h"

namespace edgegate {

// Owned by one thread; `vocabulary` must outlive it.
class TextAssembler {
 public:
  TextAssembler(const Vocabulary& vocabulary, bool skip_special, std::vector<std::string> stops,
                bool include_stop)
      : decoder_(vocabulary, skip_special), stops_(std::move(stops)), include_stop_(include_stop) {}

  // Adds the token `id`. Returns the text that can be sent now. Empty after a stop string matched.
  std::string Push(int32_t id) { return Scan(decoder_.Push(id), false); }
  // Ends the sequence. Returns the text that was held back.
  std::string Finish() { return Scan(decoder_.Finish(), true); }

  // The stop string that ended the text.
  const std::optional<std::string>& matched() const { return matched_; }

 private:
  std::string Scan(const std::string& text, bool at_end);

  StreamDecoder decoder_;
  const std::vector<std::string> stops_;
  const bool include_stop_;
  std::string held_;  // text that may be the beginning of a stop string
  std::optional<std::string> matched_;
};

}  // namespace edgegate
