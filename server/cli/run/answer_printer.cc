#include "server/cli/run/answer_printer.h"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "server/api/json/dump.h"
#include "server/cli/run/terminal.h"

namespace edgegate {

AnswerPrinter::AnswerPrinter()
    : terminal_(isatty(STDOUT_FILENO) == 1), color_(HasColor(STDERR_FILENO)) {}

void AnswerPrinter::Print(const ChoiceEvent& event) {
  for (const AnswerPart& part : event.parts) {
    switch (part.kind) {
      case AnswerPart::Kind::kContent:
        PrintContent(part.text);
        break;
      case AnswerPart::Kind::kReasoning:
        PrintThought(part.text);
        break;
      case AnswerPart::Kind::kCallBegin:
        call_ = DumpJson(nlohmann::json(part.text));
        arguments_.clear();
        break;
      case AnswerPart::Kind::kArguments:
        arguments_ += part.text;
        break;
      case AnswerPart::Kind::kCallEnd:
        EndLine();
        PrintContent("{\"name\": " + call_ + ", \"arguments\": " + arguments_ + "}");
        EndLine();
        break;
    }
  }
  std::fflush(stdout);
}

void AnswerPrinter::PrintContent(const std::string& text) {
  if (text.empty()) return;
  if (thinking_) std::fputs("\n", stderr);
  thinking_ = false;
  const std::string shown = terminal_ ? Printable(text) : text;
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  line_open_ = shown.back() != '\n';
  printed_ = true;
}

void AnswerPrinter::PrintThought(const std::string& text) {
  if (text.empty()) return;
  EndLine();
  thinking_ = true;
  std::fputs(Faint(Printable(text), color_).c_str(), stderr);
}

void AnswerPrinter::EndLine() {
  if (line_open_) std::fputs("\n", stdout);
  line_open_ = false;
}

void AnswerPrinter::End() {
  if (thinking_) std::fputs("\n", stderr);
  thinking_ = false;
  if (!printed_) line_open_ = true;
  EndLine();
  std::fflush(stdout);
}

}  // namespace edgegate
