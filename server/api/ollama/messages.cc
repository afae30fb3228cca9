#include "server/api/ollama/messages.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/api/conversation/messages.h"
#include "server/api/conversation/tool_list.h"
#include "server/api/json/dump.h"
#include "server/api/ollama/parameters.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr const char* kRoles[] = {"system", "user", "assistant", "tool"};
constexpr size_t kMaxCalls = 128;

ChatCall ParseCall(Fields* fields, const json& value, const std::string& path) {
  const json& function = MemberOf(value, "function");
  if (!function.is_object()) {
    fields->Fail(WrongType(path + ".function", "an object", function));
    return {};
  }
  Fields call(function, path + ".function");
  const json& arguments = call.Raw("arguments");
  // Ollama's clients send an object. Some others send its text, as OpenAI's do.
  std::string text = arguments.is_string() ? arguments.get<std::string>() : DumpSpaced(arguments);
  if (arguments.is_null()) text.clear();
  ChatCall read = ReadPastCall(fields, call.String("name").value_or(""), std::move(text),
                               call.Path("name"), call.Path("arguments"));
  for (const char* known : {"index", "description"}) call.Raw(known);
  fields->Adopt(&call);
  fields->WarnOfOthers(value, path, {"function", "id", "type"});
  const json& id = MemberOf(value, "id");
  if (id.is_string()) read.id = id.get<std::string>();
  return read;
}

void ParseCalls(Fields* fields, const json& calls, const std::string& path, ChatMessage* message) {
  if (calls.is_null()) return;
  if (!calls.is_array() || calls.size() > kMaxCalls) {
    return fields->Fail(BadField(
        path,
        fmt::format("Invalid '{}': expected an array of at most {} calls.", path, kMaxCalls)));
  }
  for (size_t i = 0; i < calls.size() && !fields->error(); ++i) {
    message->calls.push_back(ParseCall(fields, calls[i], fmt::format("{}[{}]", path, i)));
  }
}

ChatMessage ParseMessage(Fields* fields, const json& value, const std::string& path,
                         std::vector<ImageSource>* images) {
  ChatMessage message;
  if (!value.is_object()) {
    fields->Fail(WrongType(path, "an object", value));
    return message;
  }
  Fields one(value, path);
  message.role = one.String("role").value_or("");
  if (std::find(std::begin(kRoles), std::end(kRoles), message.role) == std::end(kRoles)) {
    one.Fail(BadField(path + ".role",
                      fmt::format("Invalid '{}.role': expected 'system', 'user', 'assistant' or "
                                  "'tool'.",
                                  path)));
  }
  const json& shown = one.Raw("images");
  if (!shown.is_null() && !shown.empty() && message.role != "user") {
    one.Fail(BadField(path + ".images",
                      fmt::format("Invalid '{}.images': only a message of the role user can show "
                                  "images.",
                                  path)));
  }
  message.parts = ParseOllamaImages(&one, shown, path + ".images", images);
  message.parts.push_back({ChatPart::Kind::kText, one.String("content").value_or("")});
  message.reasoning = one.String("thinking").value_or("");
  if (message.role == "tool") {
    message.name = one.String("tool_name").value_or(one.String("name").value_or(""));
    message.call_id = one.String("tool_call_id").value_or("");
  }
  ParseCalls(&one, one.Raw("tool_calls"), path + ".tool_calls", &message);
  fields->Adopt(&one);
  return message;
}

void ParseTool(Fields* fields, const json& value, const std::string& path, ToolList* list) {
  const json& function = MemberOf(value, "function");
  if (!function.is_object()) {
    return fields->Fail(WrongType(path + ".function", "an object", function));
  }
  if (value.value("type", json("function")) != "function") {
    return fields->Fail(BadField(
        path + ".type", fmt::format("Invalid '{}.type': only 'function' is supported.", path)));
  }
  Fields tool(function, path + ".function");
  OfferedFunction offered = ReadFunction(&tool, path + ".function", "parameters");
  // Arguments follow the schema with and without `strict`.
  tool.Raw("strict");
  fields->Adopt(&tool);
  fields->WarnOfOthers(value, path, {"type", "function"});
  if (!fields->error()) fields->Fail(list->Add(std::move(offered)));
}

}  // namespace

std::vector<ChatMessage> ParseOllamaMessages(Fields* fields, std::vector<ImageSource>* images) {
  std::vector<ChatMessage> parsed;
  const json& messages = fields->Raw("messages");
  if (messages.is_null()) return parsed;
  if (!messages.is_array()) {
    fields->Fail(WrongType("messages", "an array", messages));
    return parsed;
  }
  for (size_t i = 0; i < messages.size() && !fields->error(); ++i) {
    parsed.push_back(ParseMessage(fields, messages[i], fmt::format("messages[{}]", i), images));
  }
  NameResults(&parsed);
  return parsed;
}

void ParseOllamaTools(Fields* fields, Conversation* conversation, Call* call) {
  const json& tools = fields->Raw("tools");
  if (tools.is_null()) return;
  if (!tools.is_array()) return fields->Fail(WrongType("tools", "an array", tools));
  ToolList list;
  for (size_t i = 0; i < tools.size() && !fields->error(); ++i) {
    ParseTool(fields, tools[i], fmt::format("tools[{}]", i), &list);
  }
  list.Offer(false, true, conversation, call);
}

}  // namespace edgegate
