#include "server/api/openai/message_calls.h"

#include <utility>

#include "server/api/conversation/messages.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr size_t kMaxCalls = 128;

// Reads the function of a call: {"name": NAME, "arguments": TEXT}.
ChatCall ParseCall(Fields* fields, const json& function, const std::string& name) {
  if (!function.is_object()) {
    fields->Fail(WrongType(name, "an object", function));
    return {};
  }
  fields->WarnOfOthers(function, name, {"name", "arguments"});
  return ReadPastCall(fields, TextMember(fields, function, "name", name),
                      TextMember(fields, function, "arguments", name), name + ".name",
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
    ChatCall call = ParseCall(fields, MemberOf(calls[i], "function"), one + ".function");
    call.id = TextMember(fields, calls[i], "id", one);
    fields->WarnOfOthers(calls[i], one, {"id", "type", "function", "index"});
    message->calls.push_back(std::move(call));
  }
}

}  // namespace

void ParseMessageCalls(Fields* fields, const json& object, const std::string& name,
                       ChatMessage* message) {
  if (message->role == "assistant") {
    const json& calls = MemberOf(object, "tool_calls");
    const json& older = MemberOf(object, "function_call");
    if (!calls.is_null()) ParseToolCalls(fields, calls, name + ".tool_calls", message);
    if (!older.is_null()) {
      message->calls.push_back(ParseCall(fields, older, name + ".function_call"));
    }
    message->reasoning = TextMember(fields, object, "reasoning_content", name);
  } else if (!MemberOf(object, "tool_calls").is_null()) {
    fields->Fail(
        BadField(name + ".tool_calls",
                 fmt::format("Invalid '{}.tool_calls': only a message of the role assistant "
                             "has calls.",
                             name)));
  }
  if (message->role == "tool") {
    message->name = TextMember(fields, object, "name", name);
    message->call_id = TextMember(fields, object, "tool_call_id", name);
  }
}

}  // namespace edgegate
