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

// Returns a value in the style kBare. The recursion is bounded by the nesting that the JSON of a
// request may have.
std::string Bare(const json& value, const std::string& mark) {
  if (value.is_string()) return mark + value.get<std::string>() + mark;
  if (!value.is_structured()) return Dump(value);
  std::string out;
  for (const auto& [name, member] : value.items()) {
    if (!out.empty()) out += ",";
    out += (value.is_object() ? name + ":" : "") + Bare(member, mark);
  }
  return value.is_object() ? "{" + out + "}" : "[" + out + "]";
}

// Returns one member of a call's arguments in the format's style.
std::string Member(const CallFormat& format, const std::string& name, const json& value) {
  if (format.style == ArgumentStyle::kBare) return name + ":" + Bare(value, format.string_mark);
  if (format.style == ArgumentStyle::kKeywords) return name + "=" + Dump(value);
  return format.tags.before_name + name + format.tags.after_name +
         (value.is_string() ? value.get<std::string>() : Dump(value)) + format.tags.after_value;
}

// Returns the arguments of a call in the format's style.
std::string Arguments(const CallFormat& format, const std::string& text) {
  if (format.style == ArgumentStyle::kJson) return text;
  const json arguments = json::parse(text, nullptr, false);
  std::string out;
  if (!arguments.is_object()) return out + format.tags.close;
  const char* comma = format.style == ArgumentStyle::kKeywords ? ", "
                      : format.style == ArgumentStyle::kBare   ? ","
                                                               : "";
  for (const auto& [name, value] : arguments.items()) {
    out += (out.empty() ? "" : comma) + Member(format, name, value);
  }
  return out + format.tags.close;
}

// Returns arguments that show the format's style.
std::string ExampleArguments(const CallFormat& format) {
  switch (format.style) {
    case ArgumentStyle::kJson:
      return R"({"PARAMETER": VALUE})";
    case ArgumentStyle::kKeywords:
      return "PARAMETER=VALUE";
    case ArgumentStyle::kBare:
      return "PARAMETER:VALUE";
    case ArgumentStyle::kTagged:
      return Member(format, "PARAMETER", "VALUE") + format.tags.close;
  }
  return {};
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
  const std::string example = format.Write("NAME", ExampleArguments(format));
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

bool HasImage(const ChatMessage& message) {
  return std::any_of(message.parts.begin(), message.parts.end(),
                     [](const ChatPart& part) { return part.kind == ChatPart::Kind::kImage; });
}

// Moves the images of results to the message of the user behind the results, or to a new one.
void MoveImages(std::vector<ChatMessage>* messages) {
  std::vector<ChatMessage> out;
  std::vector<ChatPart> images;
  const auto place = [&](ChatMessage* next) {
    if (images.empty()) return;
    if (next == nullptr || next->role != "user") {
      out.push_back({"user", std::exchange(images, {})});
      return;
    }
    next->parts.insert(next->parts.begin(), images.begin(), images.end());
    images.clear();
  };
  for (ChatMessage& message : *messages) {
    if (message.role != "tool") {
      place(&message);
    } else if (HasImage(message)) {
      std::vector<ChatPart> texts;
      for (ChatPart& part : message.parts) {
        (part.kind == ChatPart::Kind::kImage ? images : texts).push_back(std::move(part));
      }
      message.parts = std::move(texts);
    }
    out.push_back(std::move(message));
  }
  place(nullptr);
  *messages = std::move(out);
}

// Joins results that follow each other to one message.
void AddResult(const ChatMessage& result, const TemplateAbilities& abilities, bool joins,
               std::vector<ChatMessage>* messages) {
  if (abilities.observation) {
    messages->push_back({"observation", result.parts});
    return;
  }
  if (!joins) messages->push_back({"user", {}});
  std::vector<ChatPart>& parts = messages->back().parts;
  const std::string begin = joins ? "\n<tool_response>\n" : "<tool_response>\n";
  if (!HasImage(result)) {
    parts.push_back(Text(begin + TextOf(result) + "\n</tool_response>"));
    return;
  }
  parts.push_back(Text(begin));
  parts.insert(parts.end(), result.parts.begin(), result.parts.end());
  parts.push_back(Text("\n</tool_response>"));
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
  const bool written = (calls || !conversation.tools.empty()) && !abilities.calls;
  // Results that become messages of the user keep their images.
  const bool kept = abilities.result_images || (written && !abilities.observation);
  const bool images =
      std::any_of(conversation.messages.begin(), conversation.messages.end(),
                  [](const ChatMessage& m) { return m.role == "tool" && HasImage(m); });
  if (images && !kept) MoveImages(&conversation.messages);
  if (written) {
    conversation.messages = WriteCalls(std::move(conversation.messages), format, abilities);
  }
  if (!conversation.tools.empty() && !abilities.tools) {
    AddInstructions(Instructions(format, conversation.tools), abilities.system, &conversation);
    conversation.tools.clear();
  }
  return conversation;
}

}  // namespace edgegate
