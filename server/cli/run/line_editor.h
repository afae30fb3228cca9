// Reads lines from the terminal, with editing and a history (libedit).
#pragma once

#include <memory>
#include <string>

#include "server/cli/stop_signals.h"

namespace edgegate {

// Owned by one thread.
class LineEditor {
 public:
  enum class Result {
    kLine,
    kEnd,          // the user has ended the input
    kInterrupted,  // SIGINT came; the line is dropped
    kStopped,      // SIGTERM came
  };
  static constexpr int kHistory = 500;  // largest number of lines

  // Standard input and output must be a terminal. `signals` outlives the editor.
  explicit LineEditor(const StopSignals& signals);
  ~LineEditor();

  // Reads a line without its newline. It is UTF-8.
  Result Read(const std::string& prompt, std::string* line);
  // Adds a line to the history. The oldest line is dropped.
  void Remember(const std::string& line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
