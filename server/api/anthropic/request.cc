#include "server/api/anthropic/request.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "server/api/anthropic/blocks.h"
#include "server/api/anthropic/tools.h"
#include "server/api/anthropic/writer.h"
#include "server/api/conversation/messages.h"
#include "server/api/inert_parameters.h"
#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"
#include "server/api/stop_strings.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr int64_t kMaxTokens = int64_t{1} << 30;

std::vector<ChatMessage> ParseMessages(Fields* fields, Call* call, Warnings* warnings) {
  BlockReader reader(fields, &call->images, warnings);
  reader.ReadSystem(fields->Raw("system"));
  const json& messages = fields->Raw("messages");
  if (messages.is_null()) fields->Fail(MissingField("messages"));
  if (!messages.is_array() || messages.empty()) {
    fields->Fail(
        BadField("messages", "Invalid 'messages': expected an array of at least one message."));
    return {};
  }
  for (size_t i = 0; i < messages.size() && !fields->error(); ++i) {
    reader.ReadMessage(messages[i], fmt::format("messages[{}]", i));
  }
  return reader.Take();
}

// Reads `thinking` to the template's variables and the limit of the thoughts.
void ParseThinking(Fields* fields, MessageOptions* options, json* variables, Call* call) {
  const json& value = fields->Raw("thinking");
  if (value.is_null()) return;
  if (!value.is_object()) return fields->Fail(WrongType("thinking", "an object", value));
  Fields thinking(value, "thinking");
  const std::string type = thinking.String("type").value_or("");
  const auto budget = thinking.Int("budget_tokens", 1, kMaxTokens);
  options->show_thoughts = thinking.String("display").value_or("summarized") != "omitted";
  if (type == "enabled") {
    if (!budget) thinking.Fail(MissingField("thinking.budget_tokens"));
    call->thinking_tokens = static_cast<int>(budget.value_or(0));
  } else if (type != "disabled" && type != "adaptive") {
    thinking.Fail(BadField("thinking.type",
                           "Invalid 'thinking.type': expected 'enabled', 'disabled' or "
                           "'adaptive'."));
  }
  if (type != "adaptive") (*variables)["enable_thinking"] = type == "enabled";
  fields->Adopt(&thinking);
}

// Reads `output_config`: the effort and a schema of the text.
void ParseOutputConfig(Fields* fields, json* variables, Call* call) {
  const json& value = fields->Raw("output_config");
  if (value.is_null()) return;
  if (!value.is_object()) return fields->Fail(WrongType("output_config", "an object", value));
  Fields config(value, "output_config");
  if (auto effort = config.String("effort")) {
    if (*effort == "max") effort = "xhigh";
    if (!IsEffort(*effort)) {
      config.Fail(BadField("output_config.effort", InvalidEffort("output_config.effort")));
    }
    SetEffort(*effort, variables);
  }
  const json& format = config.Raw("format");
  const std::string name = "output_config.format";
  if (format.is_object() && MemberOf(format, "type") == "json_schema" &&
      MemberOf(format, "schema").is_object()) {
    call->constraint = OutputConstraint{
        {GrammarSpec::Kind::kJsonSchema, DumpJson(format["schema"])}, name + ".schema"};
  } else if (!format.is_null()) {
    config.Fail(BadField(name,
                         "Invalid 'output_config.format': expected an object with the type "
                         "'json_schema' and a schema."));
  }
  fields->Adopt(&config);
}

void ParseSampling(Fields* fields, Call* call) {
  CallSampling& sampling = call->sampling;
  sampling.temperature = fields->Number("temperature", 0, 2);
  sampling.top_p = fields->Number("top_p", 0, 1);
  if (sampling.top_p == 0.0f) {
    fields->Fail(BadField("top_p", "Invalid 'top_p': must be above 0."));
  }
  if (const auto k = fields->Int("top_k", 0, int64_t{1} << 22)) {
    sampling.top_k = static_cast<int>(*k);
  }
  // Not a member of Anthropic's API. Without it, answers with a temperature could not be repeated.
  if (const auto seed = fields->Int("seed", INT64_MIN, INT64_MAX)) {
    sampling.seed = static_cast<uint64_t>(*seed);
  }
}

// Reads what requests for a message and for a count have in common.
MessageOptions ParseShared(Fields* fields, Call* call) {
  MessageOptions options;
  call->model = fields->String("model").value_or("");
  if (call->model.empty()) fields->Fail(MissingField("model"));
  Conversation conversation;
  conversation.messages = ParseMessages(fields, call, &options.warnings);
  ContinueFinalMessage(&conversation);
  json variables;
  ParseThinking(fields, &options, &variables, call);
  ParseOutputConfig(fields, &variables, call);
  if (!variables.is_null()) conversation.template_kwargs = DumpJson(variables);
  ParseAnthropicTools(fields, &conversation, call, &options.warnings);
  call->input = std::move(conversation);
  call->input_field = "messages";
  call->split_reasoning = true;
  for (const char* name : {"metadata", "cache_control"}) fields->Raw(name);
  const auto tier = fields->String("service_tier");
  if (tier && *tier != "auto" && *tier != "standard_only") {
    fields->Fail(
        BadField("service_tier", "Invalid 'service_tier': expected 'auto' or 'standard_only'."));
  }
  ReadInertParameters(RequestKind::kMessages, fields);
  return options;
}

}  // namespace

std::variant<ParsedCall, CallError> ParseMessageRequest(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedCall parsed;
  MessageOptions options = ParseShared(&fields, &parsed.call);
  options.stream = fields.Bool("stream").value_or(false);
  const auto most = fields.Int("max_tokens", 1, kMaxTokens);
  if (!most) fields.Fail(MissingField("max_tokens"));
  parsed.call.max_tokens = static_cast<int>(most.value_or(1));
  parsed.call.fit_max_tokens = true;
  if (const json& stops = fields.Raw("stop_sequences"); !stops.is_null()) {
    ReadStopStrings(&fields, stops, "stop_sequences", &parsed.call);
  }
  ParseSampling(&fields, &parsed.call);
  if (auto error = fields.Finish()) return *std::move(error);
  options.warnings.Merge(fields.warnings());
  parsed.stream = options.stream;
  parsed.warnings = options.warnings;
  parsed.make_writer = [options](const ServedModel& model, const Generation& generation) {
    return std::make_unique<MessageWriter>(options, model, generation);
  };
  return parsed;
}

std::variant<ParsedCall, CallError> ParseCountRequest(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedCall parsed;
  parsed.warnings = ParseShared(&fields, &parsed.call).warnings;
  // Members that have an effect on an answer only.
  for (const char* name :
       {"max_tokens", "stream", "stop_sequences", "temperature", "top_p", "top_k"}) {
    fields.Raw(name);
  }
  if (auto error = fields.Finish()) return *std::move(error);
  parsed.warnings.Merge(fields.warnings());
  return parsed;
}

}  // namespace edgegate
