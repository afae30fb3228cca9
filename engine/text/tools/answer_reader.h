// Splits the text of an answer into content, thoughts and calls of tools, while it comes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/tools/argument_reader.h"
#include "engine/text/tools/call_format.h"

namespace edgegate {

// A piece of an answer. The pieces of a call are one kCallBegin, its kArguments, one kCallEnd.
struct AnswerPart {
  enum class Kind {
    kContent,
    kReasoning,
    kCallBegin,  // text: the tool's name
    kArguments,  // text: further JSON of the call's arguments
    kCallEnd,    // the arguments are complete
  };
  Kind kind = Kind::kContent;
  std::string text;

  friend bool operator==(const AnswerPart&, const AnswerPart&) = default;
};

// Appends a piece. Text of the kind of the last one is joined to it.
void AppendPart(AnswerPart part, std::vector<AnswerPart>* parts);

// What to expect in an answer.
struct AnswerSyntax {
  std::optional<ReasoningMarks> reasoning;
  bool reasoning_open = false;          // the prompt has the begin mark
  const CallFormat* calls = nullptr;    // null: there are no calls
  std::vector<std::string> tools = {};  // the names that a call may have
  bool only_calls = false;              // the answer has no content
};

// All pieces, adjacent ones of a kind joined, are the same however the text is cut. Text that
// begins as a call, and is none, is content. Owned by one thread.
class AnswerReader {
 public:
  explicit AnswerReader(AnswerSyntax syntax);

  // Appends the pieces that `text` makes certain.
  void Push(std::string_view text, std::vector<AnswerPart>* parts);
  // Appends what was held back, at the end of the answer. The beginning of a call is dropped.
  void Finish(std::vector<AnswerPart>* parts);

 private:
  enum class State {
    kStart,           // of the content
    kReasoning,       // within the marks
    kAfterReasoning,  // blanks
    kText,
    kHead,       // behind the mark of calls
    kArguments,  // of a call
    kAfter,      // behind the arguments
    kDone,       // behind the last call
  };

  // Each handles some of held_. False: it needs more text.
  bool Step();
  bool ReadStart();
  bool ReadReasoning();
  bool ReadAfterReasoning();
  bool ReadText();
  bool ReadHead();
  bool ReadArguments();
  bool ReadAfter();

  // The tool whose head stands in held_ at `from`; -1: none. `open`: held_ may become such a head.
  int MatchHead(const std::vector<std::string>& heads, size_t from, bool* open) const;
  void BeginCall(int tool, size_t end_of_head);
  void Emit(AnswerPart::Kind kind, std::string text);

  const AnswerSyntax syntax_;
  std::vector<std::string> first_heads_, next_heads_;  // by tool
  State state_ = State::kStart;
  std::string held_;
  bool at_end_ = false;
  bool may_reason_ = false;
  std::string blanks_;  // of the thoughts, which may be their last
  bool thought_ = false;
  std::optional<ArgumentReader> arguments_;
  std::vector<AnswerPart>* out_ = nullptr;
};

}  // namespace edgegate
