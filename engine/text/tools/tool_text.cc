#include "engine/text/tools/tool_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

ChatPart Text(std::string text) { return {ChatPart::Kind::kText, std::move(text)}; }

// Returns the arguments of a call in the format's style.
std::string Arguments(const CallFormat& format, const std::string& text) {
  if (format.style == ArgumentStyle::kJson) return text;
  const json arguments = json::parse(text, nullptr, false);
  std::string out;
  if (!arguments.is_object()) return out;
  for (const auto& [name, value] : arguments.items()) {
    out += (out.empty() ? "" : ", ") + name + "=" + Dump(value);
  }
  return out;
}

std::string Calls(const CallFormat& format, const std::vector<ChatCall>& calls) {
  std::string out = format.at_start ? "" : format.mark + format.begin;
  for (size_t i = 0; i < calls.size(); ++i) {
    if (i > 0) out += format.between.empty() ? "\n" : format.between;
    out += format.Write(calls[i].name, Arguments(format, calls[i].arguments));
  }
  return out + format.end;
}

// Returns the system text: a line of compact JSON for each tool, and the form of a call.
std::string Instructions(const CallFormat& format, const std::vector<ChatTool>& tools) {
  std::string out = "You can call these functions:\n";
  for (const ChatTool& tool : tools) {
    json line = {{"name", tool.name}};
    if (!tool.description.empty()) line["description"] = tool.description;
    const json parameters = json::parse(tool.parameters, nullptr, false);
    if (!parameters.is_discarded()) line["parameters"] = parameters;
    out += Dump(line) + "\n";
  }
  const bool json_style = format.style == ArgumentStyle::kJson;
  const std::string example =
      format.Write("NAME", json_style ? R"({"PARAMETER": VALUE})" : "PARAMETER=VALUE");
  return out + "To call a function, answer with this form and nothing else:\n" +
         (format.at_start ? "" : format.mark + format.begin) + example + format.end;
}

void AddInstructions(const std::string& text, bool system, Conversation* conversation) {
  std::vector<ChatMessage>& messages = conversation->messages;
  const char* role = system ? "system" : "user";
  const auto place = std::find_if(messages.begin(), messages.end(),
                                  [&](const ChatMessage& m) { return m.role == role; });
  if (place == messages.end() || (system && place != messages.begin())) {
    messages.insert(messages.begin(), ChatMessage{role, {Text(text)}});
  } else if (system) {
    place->parts.push_back(Text("\n\n" + text));
  } else {
    place->parts.insert(place->parts.begin(), Text(text + "\n\n"));
  }
}

std::string TextOf(const ChatMessage& message) {
  std::string text;
  for (const ChatPart& part : message.parts) text += part.text;
  return text;
}

// Joins results that follow each other to one message.
void AddResult(const ChatMessage& result, const TemplateAbilities& abilities, bool joins,
               std::vector<ChatMessage>* messages) {
  if (abilities.observation) {
    messages->push_back({"observation", result.parts});
    return;
  }
  const std::string text = "<tool_response>\n" + TextOf(result) + "\n</tool_response>";
  if (joins) {
    messages->back().parts.push_back(Text("\n" + text));
  } else {
    messages->push_back({"user", {Text(text)}});
  }
}

std::vector<ChatMessage> WriteCalls(std::vector<ChatMessage> messages, const CallFormat& format,
                                    const TemplateAbilities& abilities) {
  std::vector<ChatMessage> out;
  bool after_result = false;
  for (ChatMessage& message : messages) {
    if (message.role == "tool") {
      AddResult(message, abilities, after_result, &out);
      after_result = true;
      continue;
    }
    after_result = false;
    if (!message.calls.empty()) {
      const std::string before = TextOf(message);
      const std::string text = (before.empty() ? "" : before + "\n") + Calls(format, message.calls);
      message.parts = {Text(text)};
      message.calls.clear();
    }
    out.push_back(std::move(message));
  }
  return out;
}

}  // namespace

Conversation WriteToolsAsText(Conversation conversation, const CallFormat& format,
                              const TemplateAbilities& abilities) {
  const bool calls = std::any_of(conversation.messages.begin(), conversation.messages.end(),
                                 [](const ChatMessage& m) { return !m.calls.empty(); });
  if ((calls || !conversation.tools.empty()) && !abilities.calls) {
    conversation.messages = WriteCalls(std::move(conversation.messages), format, abilities);
  }
  if (!conversation.tools.empty() && !abilities.tools) {
    AddInstructions(Instructions(format, conversation.tools), abilities.system, &conversation);
    conversation.tools.clear();
  }
  return conversation;
}

}  // namespace edgegate
