// Prints an answer while it is generated.
#pragma once

#include <string>

#include "server/call/generation.h"

namespace edgegate {

// The content goes to standard output. Thoughts go to standard error, in faint print on a terminal.
// A call is a line with a JSON object: {"name": ..., "arguments": {...}}. Owned by one thread.
class AnswerPrinter {
 public:
  AnswerPrinter();

  void Print(const ChoiceEvent& event);
  // Ends the last line. A call that is not complete is not printed.
  void End();

 private:
  void PrintContent(const std::string& text);
  void PrintThought(const std::string& text);
  // Ends a line of standard output that has begun.
  void EndLine();

  const bool terminal_;  // standard output is one
  const bool color_;     // of standard error
  bool line_open_ = false;
  bool printed_ = false;  // anything but thoughts
  bool thinking_ = false;
  std::string call_;  // the call's name, as JSON
  std::string arguments_;
};

}  // namespace edgegate
