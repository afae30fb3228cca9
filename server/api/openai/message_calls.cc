#include "server/api/openai/message_calls.h"

#include <algorithm>
#include <map>
#include <utility>

#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr size_t kMaxCalls = 128;

// Returns a member that is a string. Empty if it is absent.
std::string Text(Fields* fields, const json& object, const char* member, const std::string& name) {
  const json value = object.value(member, json());
  if (value.is_null()) return {};
  if (!value.is_string()) {
    fields->Fail(WrongType(name + "." + member, "a string", value));
    return {};
  }
  return value.get<std::string>();
}

// Reads the function of a call: {"name": NAME, "arguments": TEXT}.
ChatCall ParseCall(Fields* fields, const json& function, const std::string& name) {
  ChatCall call;
  if (!function.is_object()) {
    fields->Fail(WrongType(name, "an object", function));
    return call;
  }
  call.name = Text(fields, function, "name", name);
  call.arguments = Text(fields, function, "arguments", name);
  if (call.name.empty()) {
    fields->Fail(BadField(name + ".name",
                          fmt::format("Missing required parameter: '{}.name'.", name),
                          "missing_required_parameter"));
  }
  if (call.arguments.empty()) call.arguments = "{}";
  const auto arguments = ReadJson(call.arguments, JsonLimits{});
  const json* parsed = std::get_if<json>(&arguments);
  if (parsed == nullptr || !parsed->is_object()) {
    fields->Fail(
        BadField(name + ".arguments",
                 fmt::format("Invalid '{}.arguments': expected the text of a JSON object.", name)));
  }
  return call;
}

void ParseToolCalls(Fields* fields, const json& calls, const std::string& name,
                    ChatMessage* message) {
  if (!calls.is_array() || calls.size() > kMaxCalls) {
    return fields->Fail(BadField(
        name,
        fmt::format("Invalid '{}': expected an array of at most {} calls.", name, kMaxCalls)));
  }
  for (size_t i = 0; i < calls.size() && !fields->error(); ++i) {
    const std::string one = fmt::format("{}[{}]", name, i);
    if (!calls[i].is_object()) return fields->Fail(WrongType(one, "an object", calls[i]));
    if (calls[i].value("type", json("function")) != "function") {
      return fields->Fail(BadField(
          one + ".type", fmt::format("Invalid '{}.type': only 'function' is supported.", one)));
    }
    ChatCall call = ParseCall(fields, calls[i].value("function", json()), one + ".function");
    call.id = Text(fields, calls[i], "id", one);
    message->calls.push_back(std::move(call));
  }
}

}  // namespace

void ParseMessageCalls(Fields* fields, const json& object, const std::string& name,
                       ChatMessage* message) {
  if (message->role == "assistant") {
    const json calls = object.value("tool_calls", json());
    const json older = object.value("function_call", json());
    if (!calls.is_null()) ParseToolCalls(fields, calls, name + ".tool_calls", message);
    if (!older.is_null()) {
      message->calls.push_back(ParseCall(fields, older, name + ".function_call"));
    }
    message->reasoning = Text(fields, object, "reasoning_content", name);
  } else if (!object.value("tool_calls", json()).is_null()) {
    fields->Fail(
        BadField(name + ".tool_calls",
                 fmt::format("Invalid '{}.tool_calls': only a message of the role assistant "
                             "has calls.",
                             name)));
  }
  if (message->role == "tool") {
    message->name = Text(fields, object, "name", name);
    message->call_id = Text(fields, object, "tool_call_id", name);
  }
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

}  // namespace edgegate
