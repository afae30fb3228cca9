// A conversation on a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/cli/commands.h"
#include "server/cli/run/line_editor.h"
#include "server/cli/run/local_model.h"
#include "server/cli/run/read_input.h"
#include "server/cli/run/request_maker.h"
#include "server/cli/stop_signals.h"

namespace edgegate {

// Reads messages and commands, and prints the answers, until the user ends it. Owned by one thread.
class ChatLoop {
 public:
  static constexpr size_t kMaxMessages = 1000;  // of a conversation

  // The images of `input` belong to the first message. `max_bytes`: limit of a message, and of an
  // image's file. All references and `model` outlive the loop.
  ChatLoop(const RunArguments& arguments, const RunInput& input, const RequestMaker& maker,
           const StopSignals& signals, size_t max_bytes, LocalModel* model);

  // Returns the exit code.
  int Run();

 private:
  struct Command {
    const char* name;
    const char* argument;
    const char* description;
    bool (ChatLoop::*run)(const std::string& argument);
  };
  struct Message {
    std::string text;
    bool quoted = false;  // it stood between """ and """, and is no command
  };
  using Next = LineEditor::Result;
  static const Command kCommands[];

  // Prepares the images of the arguments. False: it has printed an error.
  bool Begin();
  // Reads a message of one line, or of several between """ and """.
  Next ReadMessage(Message* message);
  // Runs a command or sends a message. False: the loop ends.
  bool Handle(const Message& message);
  // Runs a command. False: the loop ends.
  bool RunCommand(const std::string& line);
  // Sends a message and prints the answer. False: the loop ends.
  bool Ask(const std::string& text);
  // Adds the answer to the conversation.
  void Keep(const LocalAnswer& answer);
  // Takes the signal that stopped an answer, if there is one. False: it stops the program.
  bool TakeSignal();
  void PrintError(const CallError& error);
  void Note(std::string_view text) const;

  // The commands. False: the loop ends.
  bool Help(const std::string& argument);
  bool Clear(const std::string& argument);
  bool AddImage(const std::string& path);
  bool SetSystem(const std::string& text);
  bool Exit(const std::string& argument);

  const RequestMaker& maker_;
  const StopSignals& signals_;
  const size_t max_bytes_;
  LocalModel* const model_;
  const RunInput& input_;
  LineEditor editor_;
  const bool color_;
  std::string system_;
  std::vector<std::string> messages_;  // without the system message
  std::vector<PromptMedia> images_;    // of all messages
  std::vector<PromptMedia> attached_;  // to the next message
  int exit_code_ = kExitOk;
};

}  // namespace edgegate
