// Splits the text of an answer into content, thoughts and calls of tools while it is generated.
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

// Appends a piece. If the last piece has the same kind, the text is joined to it.
void AppendPart(AnswerPart part, std::vector<AnswerPart>* parts);

// The parts that an answer may have.
struct AnswerSyntax {
  std::optional<ReasoningMarks> reasoning;
  bool reasoning_open = false;          // the prompt has the begin mark
  const CallFormat* calls = nullptr;    // null: there are no calls
  std::vector<std::string> tools = {};  // the names that a call may have
  // By tool, for calls of the style kTagged: the members whose values are plain texts.
  std::vector<std::vector<std::string>> plain = {};
  bool only_calls = false;  // the answer has no content
};

// If adjacent pieces of one kind are joined, the pieces do not depend on how the text is cut. Text
// that begins like a call but is not a call is content. Owned by one thread.
class AnswerReader {
 public:
  explicit AnswerReader(AnswerSyntax syntax);

  // Reads more text. Appends the pieces that no later text can change.
  void Push(std::string_view text, std::vector<AnswerPart>* parts);
  // Ends the answer. Appends the text that was held back. An incomplete head of a call is dropped.
  void Finish(std::vector<AnswerPart>* parts);

 private:
  enum class State {
    kStart,           // of the content
    kReasoning,       // within the marks
    kAfterReasoning,  // blanks
    kText,
    kHead,       // after the mark of calls
    kArguments,  // of a call
    kAfter,      // after the arguments
    kDone,       // after the last call
  };

  // Each of these consumes a part of held_. False: it needs more text.
  bool Step();
  bool ReadStart();
  bool ReadReasoning();
  bool ReadAfterReasoning();
  bool ReadText();
  bool ReadHead();
  bool ReadArguments();
  bool ReadAfter();

  // Returns the tool whose head is in held_ at `from`. -1: none. Sets `open` if held_ is the
  // beginning of such a head.
  int MatchHead(const std::vector<std::string>& heads, size_t from, bool* open) const;
  void BeginCall(int tool, size_t end_of_head);
  void Emit(AnswerPart::Kind kind, std::string text);

  const AnswerSyntax syntax_;
  std::vector<std::string> first_heads_, next_heads_;  // by tool
  State state_ = State::kStart;
  std::string held_;
  bool at_end_ = false;
  bool may_reason_ = false;
  std::string blanks_;  // blanks that may be the last of the thoughts
  bool thought_ = false;
  std::optional<ArgumentReader> arguments_;
  std::vector<AnswerPart>* out_ = nullptr;
};

}  // namespace edgegate
