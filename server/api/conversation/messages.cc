#include "server/api/conversation/messages.h"

#include <algorithm>
#include <map>
#include <utility>

#include "server/api/json/json_reader.h"

namespace edgegate {

using json = nlohmann::ordered_json;

std::vector<ChatPart> TextPart(std::string text) {
  return {{ChatPart::Kind::kText, std::move(text)}};
}

std::vector<ChatPart> JoinTexts(std::vector<ChatPart> parts) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].kind == ChatPart::Kind::kImage) return parts;
    if (i > 0) text += "\n";
    text += parts[i].text;
  }
  return TextPart(std::move(text));
}

ChatCall ReadPastCall(Fields* fields, std::string name, std::string arguments,
                      const std::string& name_field, const std::string& arguments_field) {
  if (name.empty()) fields->Fail(MissingField(name_field));
  if (arguments.empty()) arguments = "{}";
  const auto read = ReadJson(arguments, JsonLimits{});
  const json* parsed = std::get_if<json>(&read);
  if (parsed == nullptr || !parsed->is_object()) {
    fields->Fail(BadField(
        arguments_field,
        fmt::format("Invalid '{}': expected the text of a JSON object.", arguments_field)));
  }
  return {"", std::move(name), std::move(arguments)};
}

void NameResults(std::vector<ChatMessage>* messages) {
  std::map<std::string, std::string> names;
  for (ChatMessage& message : *messages) {
    for (const ChatCall& call : message.calls) {
      if (!call.id.empty()) names[call.id] = call.name;
    }
    const auto found = names.find(message.call_id);
    if (message.role == "tool" && message.name.empty() && found != names.end()) {
      message.name = found->second;
    }
  }
}

bool ContinueFinalMessage(Conversation* conversation) {
  const auto& messages = conversation->messages;
  if (messages.empty() || messages.back().role != "assistant" || !messages.back().calls.empty()) {
    return false;
  }
  conversation->continue_final_message = true;
  conversation->add_generation_prompt = false;
  return true;
}

bool IsEffort(const std::string& effort) {
  constexpr const char* kEfforts[] = {"none", "minimal", "low", "medium", "high", "xhigh"};
  return std::find(std::begin(kEfforts), std::end(kEfforts), effort) != std::end(kEfforts);
}

std::string InvalidEffort(const std::string& field) {
  return fmt::format(
      "Invalid '{}': expected 'none', 'minimal', 'low', 'medium', 'high' or 'xhigh'.", field);
}

void SetEffort(const std::string& effort, json* variables) {
  if (variables->is_null()) *variables = json::object();
  if (!variables->contains("reasoning_effort")) (*variables)["reasoning_effort"] = effort;
  // Templates that can switch thoughts off have this variable.
  if (effort == "none" && !variables->contains("enable_thinking")) {
    (*variables)["enable_thinking"] = false;
  }
}

}  // namespace edgegate
