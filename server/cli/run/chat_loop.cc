#include "server/cli/run/chat_loop.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "server/cli/fail.h"
#include "server/cli/run/answer_printer.h"
#include "server/cli/run/terminal.h"
#include "server/cli/suggestion.h"

namespace edgegate {
namespace {

constexpr std::string_view kQuotes = "\"\"\"";
constexpr const char* kPrompt = ">>> ";
constexpr const char* kMorePrompt = "... ";
constexpr const char* kFull =
    "The message does not fit: the conversation fills the context of the model. /clear starts a "
    "new "
    "one.";

std::string Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t") + 1 - first));
}

// Returns the path that the user typed: without quotes around it, and with ~ as the home.
std::string TypedPath(std::string path) {
  const bool quoted = path.size() >= 2 && (path.front() == '"' || path.front() == '\'') &&
                      path.back() == path.front();
  if (quoted) path = path.substr(1, path.size() - 2);
  const char* home = std::getenv("HOME");
  if (home != nullptr && path.starts_with("~/")) path = home + path.substr(1);
  return path;
}

// True if the line is a command and no path such as /etc/hosts.
bool IsCommand(const std::string& line) {
  return line.starts_with('/') && line.find('/', 1) >= line.find_first_of(" \t");
}

}  // namespace

const ChatLoop::Command ChatLoop::kCommands[] = {
    {"/help", "", "lists the commands", &ChatLoop::Help},
    {"/clear", "", "starts a new conversation; the system message stays", &ChatLoop::Clear},
    {"/image", "FILE", "shows an image with the next message", &ChatLoop::AddImage},
    {"/system", "TEXT", "sets the system message; without a text: removes it",
     &ChatLoop::SetSystem},
    {"/exit", "", "ends the program; Ctrl-D and /bye do the same", &ChatLoop::Exit},
};

ChatLoop::ChatLoop(const RunArguments& arguments, const RunInput& input, const RequestMaker& maker,
                   const StopSignals& signals, size_t max_bytes, LocalModel* model)
    : maker_(maker),
      signals_(signals),
      max_bytes_(max_bytes),
      model_(model),
      input_(input),
      editor_(signals),
      color_(HasColor(STDERR_FILENO)),
      system_(arguments.system) {}

int ChatLoop::Run() {
  if (!Begin()) return exit_code_;
  Note(model_->served().name + ". /help lists the commands.");
  for (bool on = true; on;) {
    Message message;
    switch (ReadMessage(&message)) {
      case Next::kLine:
        on = Handle(message);
        break;
      case Next::kInterrupted:
        Note("Ctrl-D ends the program.");
        break;
      case Next::kEnd:
        std::fputs("\n", stdout);
        on = false;
        break;
      case Next::kStopped:
        exit_code_ = kExitInterrupted;
        on = false;
        break;
    }
  }
  return exit_code_;
}

bool ChatLoop::Begin() {
  if (!model_->has_chat_template()) {
    exit_code_ = Fail(
        InvalidArgument("the model {} has no chat template: give a prompt", model_->served().name),
        kExitUsage);
    return false;
  }
  for (size_t i = 0; i < input_.images.size(); ++i) {
    auto image = model_->PrepareImage(input_.images[i]);
    if (!image.ok()) {
      exit_code_ = Fail(image.status().WithContext(input_.image_names[i]), kExitFailure);
      return false;
    }
    attached_.push_back(*std::move(image));
  }
  return true;
}

ChatLoop::Next ChatLoop::ReadMessage(Message* message) {
  std::string line;
  const Next first = editor_.Read(kPrompt, &line);
  if (first != Next::kLine) return first;
  if (!Trimmed(line).empty()) editor_.Remember(line);
  message->quoted = line.starts_with(kQuotes);
  if (message->quoted) line.erase(0, kQuotes.size());
  while (message->quoted && !line.ends_with(kQuotes) && line.size() <= max_bytes_) {
    std::string more;
    const Next next = editor_.Read(kMorePrompt, &more);
    if (next != Next::kLine) return next;
    line += "\n" + more;
  }
  if (message->quoted) {
    if (line.ends_with(kQuotes)) line.erase(line.size() - kQuotes.size());
    // The quotes may have lines of their own.
    if (line.starts_with('\n')) line.erase(0, 1);
    if (line.ends_with('\n')) line.pop_back();
  }
  message->text = std::move(line);
  return Next::kLine;
}

bool ChatLoop::Handle(const Message& message) {
  if (message.text.size() > max_bytes_) {
    Note("The message is too long (server.max_body_mb).");
    return true;
  }
  if (!message.quoted && IsCommand(message.text)) return RunCommand(message.text);
  return Trimmed(message.text).empty() || Ask(message.text);
}

bool ChatLoop::RunCommand(const std::string& line) {
  const size_t blank = line.find_first_of(" \t");
  const std::string name = line.substr(0, blank);
  const std::string argument = blank == std::string::npos ? "" : Trimmed(line.substr(blank));
  if (name == "/bye") return Exit(argument);
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (name == command.name) return (this->*command.run)(argument);
    names.emplace_back(command.name);
  }
  Note("Unknown command " + Printable(name) + "." + DidYouMean(name, names));
  return Help("");
}

bool ChatLoop::Help(const std::string& /*argument*/) {
  for (const Command& command : kCommands) {
    std::printf("  %-8s %-5s %s\n", command.name, command.argument, command.description);
  }
  std::printf("  %-14s %s\n", "\"\"\"", "begins and ends a message of several lines");
  std::printf("  %-14s %s\n", "Ctrl-C", "stops the answer");
  return true;
}

bool ChatLoop::Clear(const std::string& /*argument*/) {
  messages_.clear();
  images_.clear();
  attached_.clear();
  Note("New conversation.");
  return true;
}

bool ChatLoop::AddImage(const std::string& path) {
  if (path.empty()) {
    Note("/image needs the name of a file.");
    return true;
  }
  const std::string file = TypedPath(path);
  const auto bytes = ReadInputFile(file, max_bytes_);
  auto image = bytes.ok() ? model_->PrepareImage(*bytes) : bytes.status();
  if (!image.ok()) {
    Note(Printable(image.status().WithContext(file).message()));
    return true;
  }
  attached_.push_back(*std::move(image));
  Note("The next message shows " + Printable(file) + ".");
  return true;
}

bool ChatLoop::SetSystem(const std::string& text) {
  system_ = text;
  Note(text.empty() ? "There is no system message now." : "The system message is set.");
  return true;
}

bool ChatLoop::Exit(const std::string& /*argument*/) { return false; }

bool ChatLoop::Ask(const std::string& text) {
  if (messages_.size() + 2 > kMaxMessages) {
    Note("The conversation has " + std::to_string(messages_.size()) +
         " messages, which is the limit. /clear starts a new one.");
    return true;
  }
  std::vector<std::string> all;
  if (!system_.empty()) all.push_back(SystemMessage(system_));
  all.insert(all.end(), messages_.begin(), messages_.end());
  std::string message = UserMessage(text, attached_.size());
  all.push_back(message);
  std::vector<PromptMedia> images = images_;
  images.insert(images.end(), attached_.begin(), attached_.end());
  attached_.clear();
  const auto made = maker_.MakeChat(all);
  if (const auto* error = std::get_if<CallError>(&made)) {
    PrintError(*error);
    return true;
  }
  AnswerPrinter printer;
  const auto answered = model_->Answer(
      std::get<ParsedCall>(made), images, [this] { return signals_.pending(); }, &printer);
  if (const auto* error = std::get_if<CallError>(&answered)) {
    PrintError(*error);
    return TakeSignal();
  }
  printer.End();
  messages_.push_back(std::move(message));
  images_ = std::move(images);
  Keep(std::get<LocalAnswer>(answered));
  return TakeSignal();
}

void ChatLoop::Keep(const LocalAnswer& answer) {
  messages_.push_back(MessageOf(answer.json));
  if (answer.stopped()) Note("Stopped.");
  if (answer.end == ChoiceEnd::kLength) {
    Note("The answer was cut: the context of " +
         std::to_string(model_->served().limits.max_model_len) +
         " tokens is full, or --max-tokens is reached. /clear starts a new conversation.");
  }
}

bool ChatLoop::TakeSignal() {
  if (signals_.Take() != SIGTERM) return true;
  exit_code_ = kExitInterrupted;
  return false;
}

void ChatLoop::PrintError(const CallError& error) {
  if (error.status.code() == StatusCode::kCancelled) return Note("Stopped.");
  if (error.code == "context_length_exceeded") return Note(kFull);
  Note(Printable(MessageWithFlag(error)));
  if (error.code == "too_many_images") Note("/clear starts a conversation without images.");
}

void ChatLoop::Note(std::string_view text) const {
  std::fprintf(stderr, "%s\n", Faint(text, color_).c_str());
}

}  // namespace edgegate
