#include "server/api/openai/responses/request.h"

#include <memory>
#include <utility>

#include "server/api/conversation/messages.h"
#include "server/api/conversation/video_parts.h"
#include "server/api/inert_parameters.h"
#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"
#include "server/api/openai/parameters.h"
#include "server/api/openai/responses/input.h"
#include "server/api/openai/responses/text_format.h"
#include "server/api/openai/responses/tools.h"
#include "server/api/openai/responses/writer.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Reads `reasoning`. Returns the template's variables.
json ParseReasoning(Fields* fields, json* echo) {
  json variables = fields->Raw("chat_template_kwargs");
  if (!variables.is_null() && !variables.is_object()) {
    fields->Fail(WrongType("chat_template_kwargs", "an object", variables));
    return {};
  }
  const json& value = fields->Raw("reasoning");
  if (value.is_null()) return variables;
  if (!value.is_object()) {
    fields->Fail(WrongType("reasoning", "an object", value));
    return variables;
  }
  Fields reasoning(value, "reasoning");
  if (const auto effort = reasoning.String("effort")) {
    (*echo)["effort"] = *effort;
    if (!IsEffort(*effort)) {
      reasoning.Fail(BadField("reasoning.effort", InvalidEffort("reasoning.effort")));
    }
    SetEffort(*effort, &variables);
  }
  for (const char* name : {"summary", "generate_summary"}) {
    if (!reasoning.String(name)) continue;
    reasoning.warnings().Add(fmt::format("'reasoning.{}': thoughts are not summarized.", name));
  }
  for (const char* name : {"context", "mode"}) {
    if (!reasoning.Raw(name).is_null()) reasoning.warnings().NoEffect(reasoning.Path(name));
  }
  fields->Adopt(&reasoning);
  return variables;
}

// Reads `include`. True: log-probabilities are wanted.
bool ParseInclude(Fields* fields, Warnings* warnings) {
  const json& include = fields->Raw("include");
  bool logprobs = false;
  if (!include.is_null() && !include.is_array()) {
    fields->Fail(WrongType("include", "an array of strings", include));
    return false;
  }
  for (const json& one : include) {
    if (one == "message.output_text.logprobs") {
      logprobs = true;
    } else if (one == "reasoning.encrypted_content") {
      warnings->Add(
          "'include': thoughts are not encrypted. Reasoning items have them as 'content'.");
    } else if (one.is_string()) {
      warnings->Add(
          fmt::format("'include': there is no '{}' here.", one.get<std::string>().substr(0, 100)));
    } else {
      fields->Fail(WrongType("include", "an array of strings", include));
    }
  }
  return logprobs;
}

// Reads `truncation`. True: turns that do not fit the context are dropped.
bool ParseTruncation(Fields* fields) {
  const auto truncation = fields->String("truncation");
  if (truncation && *truncation != "auto" && *truncation != "disabled") {
    fields->Fail(BadField("truncation", "Invalid 'truncation': expected 'auto' or 'disabled'."));
  }
  return truncation == "auto";
}

void ParseWithoutEffect(Fields* fields, Warnings* warnings) {
  // Only tools of OpenAI's servers count.
  fields->Int("max_tool_calls", 0, int64_t{1} << 30);
  const json& options = fields->Raw("stream_options");
  if (!options.is_null() && !options.is_object()) {
    fields->Fail(WrongType("stream_options", "an object", options));
  }
  fields->WarnOfOthers(options, "stream_options", {"include_obfuscation"});
  // Events are never padded.
  if (MemberOf(options, "include_obfuscation") == true) {
    warnings->NoEffect("stream_options.include_obfuscation");
  }
}

json ParseMetadata(Fields* fields) {
  const json& metadata = fields->Raw("metadata");
  if (metadata.is_null()) return json::object();
  if (!metadata.is_object()) {
    fields->Fail(WrongType("metadata", "an object", metadata));
    return json::object();
  }
  constexpr size_t kMost = 64;
  if (metadata.size() > kMost) {
    fields->Fail(BadField("metadata", fmt::format("Invalid 'metadata': at most {} members are "
                                                  "accepted.",
                                                  kMost)));
  }
  for (const auto& [name, value] : metadata.items()) {
    if (!value.is_string() || value.get_ref<const std::string&>().size() > 4096) {
      fields->Fail(BadField("metadata",
                            "Invalid 'metadata': a value must be a string of at most "
                            "4096 bytes."));
    }
  }
  return metadata;
}

// Reads the length and the log-probabilities of the answer.
void ParseLengths(Fields* fields, ResponseOptions* options, Call* call) {
  constexpr int64_t kMost = int64_t{1} << 30;
  if (const auto most = fields->Int("max_output_tokens", 1, kMost)) {
    call->max_tokens = static_cast<int>(*most);
    call->max_tokens_field = "max_output_tokens";
    call->fit_max_tokens = true;
  }
  options->echo["max_output_tokens"] = fields->Raw("max_output_tokens");
  const auto top = fields->Int("top_logprobs", 0, 20);
  options->logprobs = ParseInclude(fields, &options->warnings) || top.value_or(0) > 0;
  options->echo["top_logprobs"] = top.value_or(0);
  if (options->logprobs) call->sampling.top_logprobs = static_cast<int>(top.value_or(0));
}

// Reads the conversation and the tools.
void ParseConversation(Fields* fields, const ResponseStore& store, ResponseOptions* options,
                       Call* call) {
  Conversation conversation;
  conversation.messages = ParseInput(fields, store, options, &call->images);
  call->video = ParseVideoWish(fields);
  json effort = {{"effort", nullptr}, {"summary", nullptr}};
  const json variables = ParseReasoning(fields, &effort);
  if (!variables.is_null()) conversation.template_kwargs = DumpJson(variables);
  options->echo["reasoning"] = std::move(effort);
  ResponseToolEcho tools = ParseResponseTools(fields, &conversation, call, &options->warnings);
  options->echo["tools"] = std::move(tools.tools);
  options->echo["tool_choice"] = std::move(tools.choice);
  options->echo["parallel_tool_calls"] = tools.parallel;
  call->drop_turns = ParseTruncation(fields);
  options->echo["truncation"] = call->drop_turns ? "auto" : "disabled";
  call->input = std::move(conversation);
  call->input_field = "input";
  call->split_reasoning = true;
}

}  // namespace

std::variant<ParsedCall, CallError> ParseResponse(std::string_view body, const Caller& caller,
                                                  ResponseStore* store) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedCall parsed;
  ResponseOptions options;
  options.tenant = caller.tenant;
  options.echo = json::object();
  options.stream = fields.Bool("stream").value_or(false);
  options.store = fields.Bool("store").value_or(true);
  ParseModel(&fields, &parsed.call);
  ParseConversation(&fields, *store, &options, &parsed.call);
  ParseLengths(&fields, &options, &parsed.call);
  ParseSampling(&fields, &parsed.call);
  for (const char* name : {"temperature", "top_p"}) options.echo[name] = fields.Raw(name);
  options.echo["text"] = ParseTextFormat(&fields, &parsed.call.constraint);
  options.echo["metadata"] = ParseMetadata(&fields);
  ParseWithoutEffect(&fields, &options.warnings);
  ReadInertParameters(RequestKind::kResponses, &fields);
  if (auto error = fields.Finish()) return *std::move(error);
  options.warnings.Merge(fields.warnings());
  parsed.stream = options.stream;
  parsed.warnings = options.warnings;
  parsed.kept_bytes = static_cast<int64_t>(DumpJson(options.echo).size());
  for (const std::string& item : options.input) {
    parsed.kept_bytes += static_cast<int64_t>(item.size());
  }
  const auto shared = std::make_shared<const ResponseOptions>(std::move(options));
  parsed.make_writer = [shared, store](const ServedModel& model, const Generation& generation) {
    return std::make_unique<ResponseWriter>(shared, model, generation, store);
  };
  return parsed;
}

}  // namespace edgegate
