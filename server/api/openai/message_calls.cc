#include "server/api/openai/message_calls.h"

#include <utility>

#include "server/api/conversation/messages.h"

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
  if (!function.is_object()) {
    fields->Fail(WrongType(name, "an object", function));
    return {};
  }
  return ReadPastCall(fields, Text(fields, function, "name", name),
                      Text(fields, function, "arguments", name), name + ".name",
                      name + ".arguments");
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

}  // namespace edgegate
