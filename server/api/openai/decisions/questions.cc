#include "server/api/openai/decisions/questions.h"

#include <algorithm>
#include <set>
#include <utility>

#include "server/api/openai/decisions/input.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;
using Kind = DecisionQuestion::Kind;

// Reads one question.
class Question {
 public:
  Question(const json& value, std::string path, Warnings* warnings)
      : fields_(value, path), path_(std::move(path)), warnings_(warnings) {}

  void Read(ParsedQuestions* all) {
    question_.field = path_;
    const std::string type = fields_.String("type").value_or("");
    question_.instructions =
        ParseInstructions(&fields_, fields_.Raw("instructions"), path_ + ".instructions");
    if (const auto name = fields_.String("name")) shape_.name = *name;
    if (type == "choice") {
      ReadOptions(Kind::kChoice, "choices", "value");
    } else if (type == "score") {
      ReadOptions(Kind::kScore, "levels", "label");
    } else if (type != "predicate") {
      fields_.Fail(
          BadField(path_ + ".type",
                   fmt::format("Invalid '{}.type': expected predicate, choice or score.", path_)));
    }
    fields_.Finish();
    warnings_->Merge(fields_.warnings());
    all->questions.push_back(std::move(question_));
    all->shapes.push_back(std::move(shape_));
  }

  const std::optional<CallError>& error() const { return fields_.error(); }

 private:
  void ReadOptions(Kind kind, const char* member, const char* key) {
    question_.kind = shape_.kind = kind;
    const json& options = fields_.Raw(member);
    const std::string path = path_ + "." + member;
    if (!options.is_array() || options.size() < 2 || options.size() > kMostOptions) {
      return fields_.Fail(BadField(
          path,
          fmt::format("Invalid '{}': expected an array of 2 to {} objects.", path, kMostOptions)));
    }
    std::set<json> seen;
    for (size_t i = 0; i < options.size() && !fields_.error(); ++i) {
      const std::string place = fmt::format("{}[{}]", path, i);
      ReadOption(options[i], place, key);
      if (!fields_.error() && !seen.insert(shape_.options.back()).second) {
        fields_.Fail(BadField(
            place, fmt::format("Invalid '{}': its {} is that of an earlier one.", place, key)));
      }
    }
  }

  void ReadOption(const json& option, const std::string& place, const char* key) {
    if (!option.is_object()) return fields_.Fail(WrongType(place, "an object", option));
    const json& value = MemberOf(option, key);
    const bool flag = value.is_boolean() && question_.kind == Kind::kChoice;
    if (value.is_null()) return fields_.Fail(MissingField(place + "." + key));
    if (!flag && (!value.is_string() || value.get_ref<const std::string&>().empty())) {
      return fields_.Fail(WrongType(place + "." + key,
                                    question_.kind == Kind::kChoice
                                        ? "a text that is not empty, or a boolean"
                                        : "a text that is not empty",
                                    value));
    }
    std::string text = flag ? (value.get<bool>() ? "true" : "false") : value.get<std::string>();
    question_.options.push_back(
        {std::move(text), TextMember(&fields_, option, "description", place)});
    shape_.options.push_back(value);
  }

  Fields fields_;
  const std::string path_;
  Warnings* const warnings_;
  DecisionQuestion question_;
  AnswerShape shape_;
};

}  // namespace

ParsedQuestions ParseQuestions(Fields* fields, Warnings* warnings) {
  ParsedQuestions all;
  const json& questions = fields->Raw("questions");
  if (questions.is_null()) {
    fields->Fail(MissingField("questions"));
    return all;
  }
  if (!questions.is_array() || questions.empty() || questions.size() > kMostQuestions) {
    fields->Fail(BadField(
        "questions", fmt::format("Invalid 'questions': expected an array of 1 to {} questions.",
                                 kMostQuestions)));
    return all;
  }
  for (size_t i = 0; i < questions.size() && !fields->error(); ++i) {
    const std::string path = fmt::format("questions[{}]", i);
    if (!questions[i].is_object()) {
      fields->Fail(WrongType(path, "an object", questions[i]));
      break;
    }
    Question question(questions[i], path, warnings);
    question.Read(&all);
    fields->Fail(question.error());
  }
  return all;
}

json AnswerTo(const AnswerShape& shape, const std::vector<double>& probabilities) {
  if (shape.kind == Kind::kPredicate) {
    return {{"type", "predicate"}, {"name", shape.name}, {"probability", probabilities[0]}};
  }
  const auto best = std::ranges::max_element(probabilities);
  json list = json::array();
  double score = 0;
  for (size_t i = 0; i < probabilities.size(); ++i) {
    if (shape.kind == Kind::kChoice) {
      list.push_back({{"value", shape.options[i]}, {"probability", probabilities[i]}});
    } else {
      list.push_back(
          {{"label", shape.options[i]}, {"value", i}, {"probability", probabilities[i]}});
      score += static_cast<double>(i) * probabilities[i];
    }
  }
  const bool choice = shape.kind == Kind::kChoice;
  json answer = {{"type", choice ? "choice" : "score"}, {"name", shape.name}};
  if (choice) {
    answer["choice"] = shape.options[static_cast<size_t>(best - probabilities.begin())];
  } else {
    answer["score"] = score;
  }
  answer["confidence"] = *best;
  answer["probabilities"] = std::move(list);
  return answer;
}

}  // namespace edgegate
