#include "server/cli/run/request_maker.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"
#include "server/api/openai/chat_completions.h"
#include "server/api/openai/completions.h"
#include "server/cli/run/read_input.h"
#include "server/cli/run/request_flags.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Reads JSON from a flag's value, which is JSON or the name of a file with JSON.
Result<json> ReadFlag(const char* flag, const std::string& value, size_t max_bytes) {
  const size_t first = value.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string::npos && (value[first] == '{' || value[first] == '[');
  const std::string name = is_json ? flag : value;
  std::string text = value;
  if (!is_json) {
    auto file = ReadInputFile(value, max_bytes);
    if (!file.ok()) return file.status().WithContext(flag);
    text = *std::move(file);
  }
  auto read = ReadJson(text, JsonLimits{});
  if (auto* parsed = std::get_if<json>(&read)) return std::move(*parsed);
  const std::string message = std::get<CallError>(read).status.message();
  constexpr std::string_view kBody = "The body";
  if (message.starts_with(kBody)) {
    return InvalidArgument("{}{}", name, message.substr(kBody.size()));
  }
  return InvalidArgument("{}: {}", name, message);
}

// Adds a tool, which may be a function alone, or a list of both.
void AddTools(const json& value, json* tools) {
  if (value.is_array()) {
    for (const json& one : value) AddTools(one, tools);
  } else if (value.is_object() && !value.contains("function") && value.contains("name")) {
    tools->push_back({{"type", "function"}, {"function", value}});
  } else {
    tools->push_back(value);
  }
}

json ToolChoice(const std::string& text) {
  if (text == "auto" || text == "none" || text == "required") return text;
  return {{"type", "function"}, {"function", {{"name", text}}}};
}

// Returns a number, or a text if the flag's value is none. The parser of the request reports a text
// where a number belongs.
json ValueOf(const std::string& text) {
  json value = json::parse(text, nullptr, false);
  return value.is_number() ? value : json(text);
}

// True if `field` is the member or a part of it.
bool IsPartOf(const std::string& field, const std::string& member) {
  return field.starts_with(member) && (field.size() == member.size() ||
                                       field[member.size()] == '.' || field[member.size()] == '[');
}

}  // namespace

std::string SystemMessage(std::string_view text) {
  return DumpJson(json{{"role", "system"}, {"content", text}});
}

std::string UserMessage(std::string_view text, size_t images) {
  if (images == 0) return DumpJson(json{{"role", "user"}, {"content", text}});
  json parts = json::array();
  for (size_t i = 0; i < images; ++i) {
    parts.push_back({{"type", "image_url"}, {"image_url", {{"url", ""}}}});
  }
  parts.push_back({{"type", "text"}, {"text", text}});
  return DumpJson(json{{"role", "user"}, {"content", std::move(parts)}});
}

std::string MessageOf(std::string_view answer) {
  return DumpJson(json::parse(answer)["choices"][0]["message"]);
}

Result<RequestMaker> RequestMaker::Make(const RunArguments& arguments, size_t max_bytes) {
  json members = json::object();
  for (const auto& [member, text] : arguments.members) {
    if (!text.empty()) members[member] = ValueOf(text);
  }
  if (!arguments.stop.empty()) members["stop"] = arguments.stop;
  if (!arguments.json_schema.empty()) {
    EG_ASSIGN_OR_RETURN(json schema, ReadFlag("--json-schema", arguments.json_schema, max_bytes));
    members["response_format"] = {
        {"type", "json_schema"},
        {"json_schema", {{"name", "answer"}, {"strict", true}, {"schema", std::move(schema)}}}};
  }
  json tools = json::array();
  for (const std::string& tool : arguments.tools) {
    EG_ASSIGN_OR_RETURN(const json value, ReadFlag("--tool", tool, max_bytes));
    AddTools(value, &tools);
  }
  if (!tools.empty()) members["tools"] = std::move(tools);
  if (!arguments.tool_choice.empty()) members["tool_choice"] = ToolChoice(arguments.tool_choice);
  RequestMaker maker;
  maker.members_ = DumpJson(members);
  return maker;
}

std::variant<ParsedCall, CallError> RequestMaker::MakeChat(
    const std::vector<std::string>& messages) const {
  json request = json::parse(members_);
  json& list = request["messages"] = json::array();
  for (const std::string& message : messages) list.push_back(json::parse(message));
  return ParseChatCompletion(DumpJson(request));
}

std::variant<ParsedCall, CallError> RequestMaker::MakeText(std::string_view prompt) const {
  json request = json::parse(members_);
  request["prompt"] = prompt;
  return ParseCompletion(DumpJson(request));
}

std::string MessageWithFlag(const CallError& error) {
  std::string flag;
  for (const RequestFlag& one : kRequestFlags) {
    if (error.field == one.member) flag = one.flag;
  }
  if (IsPartOf(error.field, "response_format")) flag = "--json-schema";
  if (IsPartOf(error.field, "tools")) flag = "--tool";
  if (IsPartOf(error.field, "tool_choice")) flag = "--tool-choice";
  if (error.field == "stop") flag = "--stop";
  return flag.empty() ? error.status.message() : flag + ": " + error.status.message();
}

std::string FlatAnswer(std::string_view answer) {
  json whole = json::parse(answer);
  const json& choice = whole["choices"][0];
  const json message = choice.value("message", json::object());
  json flat = {{"model", whole["model"]},
               {"content", message.value("content", choice.value("text", json()))}};
  for (const char* member : {"reasoning_content", "tool_calls"}) {
    if (message.contains(member)) flat[member] = message[member];
  }
  flat["finish_reason"] = choice["finish_reason"];
  for (const char* member : {"usage", "timings", "warnings"}) {
    if (whole.contains(member)) flat[member] = std::move(whole[member]);
  }
  return flat.dump(2);
}

}  // namespace edgegate
