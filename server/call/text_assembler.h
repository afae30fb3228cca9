// Converts the tokens of one sequence to the text that its client gets. Returns whole characters
// only, split into content, thoughts and calls. Ends the content at a stop string and sends no part
// of the stop string.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/text/stream_decoder.h"
#include "engine/text/tools/answer_reader.h"

namespace edgegate {

// Owned by one thread; `vocabulary` must outlive it.
class TextAssembler {
 public:
  // `syntax`: how the text is split; absent: all of it is content. `marks`: special tokens that are
  // marks of the syntax.
  TextAssembler(const Vocabulary& vocabulary, bool skip_special, std::vector<std::string> stops,
                bool include_stop, std::optional<AnswerSyntax> syntax = {},
                std::vector<int32_t> marks = {})
      : decoder_(vocabulary, skip_special, syntax ? std::move(marks) : std::vector<int32_t>()),
        stops_(std::move(stops)),
        include_stop_(include_stop) {
    if (syntax) reader_.emplace(*std::move(syntax));
  }

  // Sets the number of tokens at the beginning whose text is not searched for stop strings.
  // Precondition: no token was pushed.
  void SkipStops(int tokens) { unsearched_ = tokens; }

  // Adds the token `id`. Appends the pieces that can be sent now. Appends nothing after a stop
  // string matched.
  void Push(int32_t id, std::vector<AnswerPart>* parts) {
    Add(decoder_.Push(id), false, parts);
    if (unsearched_ > 0) --unsearched_;
  }
  // Ends the sequence. Appends the pieces that were held back.
  void Finish(std::vector<AnswerPart>* parts) { Add(decoder_.Finish(), true, parts); }

  // The stop string that ended the text.
  const std::optional<std::string>& matched() const { return matched_; }

 private:
  void Add(const std::string& text, bool at_end, std::vector<AnswerPart>* parts);
  void AddContent(const std::string& text, bool at_end, std::vector<AnswerPart>* parts);
  std::string Scan(const std::string& text, bool at_end);

  StreamDecoder decoder_;
  std::optional<AnswerReader> reader_;
  const std::vector<std::string> stops_;
  const bool include_stop_;
  int unsearched_ = 0;  // further tokens whose text is not searched for stop strings
  std::string held_;    // text that may be the beginning of a stop string
  std::optional<std::string> matched_;
};

}  // namespace edgegate
