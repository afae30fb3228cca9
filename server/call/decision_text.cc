#include "server/call/decision_text.h"

#include <fmt/format.h>

namespace edgegate {
namespace {

using Kind = DecisionQuestion::Kind;

constexpr size_t kLetters = 26;

std::string Label(size_t index, size_t count) {
  if (count <= kLetters) return {static_cast<char>('A' + index)};
  return std::to_string(index + 1);
}

QuestionForm ListForm(const DecisionQuestion& question, bool labelled) {
  const size_t count = question.options.size();
  const char* by = !labelled           ? "one"
                   : count <= kLetters ? "the letter of one"
                                       : "the number of one";
  QuestionForm form;
  form.text =
      fmt::format("{}\nAnswer with {} of these{}:", question.instructions, by,
                  question.kind == Kind::kScore ? " levels, from the lowest to the highest" : "");
  for (size_t i = 0; i < count; ++i) {
    const DecisionOption& option = question.options[i];
    form.text += labelled ? fmt::format("\n{}. {}", Label(i, count), option.text)
                          : fmt::format("\n- {}", option.text);
    if (!option.description.empty()) form.text += ": " + option.description;
    form.options.push_back(labelled ? Label(i, count) : option.text);
  }
  return form;
}

QuestionForm PlainForm(const DecisionQuestion& question) {
  QuestionForm form{question.instructions, {}};
  for (const DecisionOption& option : question.options) {
    form.options.push_back(option.description.empty() ? option.text : option.description);
  }
  return form;
}

}  // namespace

std::vector<QuestionForm> FormsOf(const DecisionQuestion& question, bool plain) {
  if (question.kind == Kind::kPredicate) {
    const char* ask = plain ? "" : "\nAnswer Yes or No.";
    return {{question.instructions + ask, {"Yes", "No"}}};
  }
  if (plain) return {PlainForm(question)};
  return {ListForm(question, false), ListForm(question, true)};
}

}  // namespace edgegate
