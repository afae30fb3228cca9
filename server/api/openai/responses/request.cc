#include "server/api/openai/responses/request.h"

#include <memory>
#include <utility>

#include "server/api/conversation/messages.h"
#include "server/api/conversation/video_parts.h"
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

// Members that change nothing here.
constexpr const char* kWithoutEffect[] = {"max_tool_calls",         "prompt_cache_key",
                                          "prompt_cache_retention", "prompt_cache_options",
                                          "safety_identifier",      "user"};

// Reads `reasoning`. Returns the template's variables.
json ParseReasoning(Fields* fields, Warnings* warnings, json* echo) {
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
  for (const std::string& name : reasoning.AllUnread()) warnings->NoEffect(name);
  fields->Fail(reasoning.error());
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
    } else if (one.is_string()) {
      warnings->Add(
          fmt::format("'include': there is no '{}' here.", one.get<std::string>().substr(0, 100)));
    } else {
      fields->Fail(WrongType("include", "an array of strings", include));
    }
  }
  return logprobs;
}

// Members that would change the answer's meaning. The second group belongs to chats.
constexpr const char* kUnsupported[] = {"conversation",
                                        "prompt",
                                        "context_management",
                                        "messages",
                                        "max_tokens",
                                        "max_completion_tokens",
                                        "n",
                                        "stop",
                                        "response_format",
                                        "functions",
                                        "logprobs",
                                        "reasoning_effort"};

void RefuseUnsupported(Fields* fields) {
  for (const char* name : kUnsupported) {
    const json& value = fields->Raw(name);
    if (value.is_null()) continue;
    fields->Fail(BadField(name, fmt::format("'{}' is not supported by /v1/responses.", name),
                          "unsupported_parameter"));
  }
  if (fields->Bool("background").value_or(false)) {
    fields->Fail(BadField("background",
                          "'background' is not supported: responses are generated "
                          "while the client waits.",
                          "unsupported_parameter"));
  }
}

void ParseWithoutEffect(Fields* fields, Warnings* warnings) {
  for (const char* name : kWithoutEffect) fields->Raw(name);
  const auto truncation = fields->String("truncation");
  if (truncation == "auto") {
    warnings->Add("'truncation': input that is too long is refused and not cut.");
  } else if (truncation && *truncation != "disabled") {
    fields->Fail(BadField("truncation", "Invalid 'truncation': expected 'auto' or 'disabled'."));
  }
  const auto tier = fields->String("service_tier");
  if (tier && *tier != "auto" && *tier != "default") warnings->NoEffect("service_tier");
  const json& options = fields->Raw("stream_options");
  if (!options.is_null() && !options.is_object()) {
    fields->Fail(WrongType("stream_options", "an object", options));
  }
}

json ParseMetadata(Fields* fields) {
  const json& metadata = fields->Raw("metadata");
  if (metadata.is_null()) return json::object();
  if (!metadata.is_object()) {
    fields->Fail(WrongType("metadata", "an object", metadata));
    return json::object();
  }
  for (const auto& [name, value] : metadata.items()) {
    if (!value.is_string() || value.get_ref<const std::string&>().size() > 4096) {
      fields->Fail(BadField("metadata",
                            "Invalid 'metadata': a value must be a string of at most "
                            "4096 bytes."));
    }
  }
  return metadata.size() <= 64 ? metadata : json::object();
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
  call->video = ParseVideoWish(fields, &options->warnings);
  json effort = {{"effort", nullptr}, {"summary", nullptr}};
  const json variables = ParseReasoning(fields, &options->warnings, &effort);
  if (!variables.is_null()) conversation.template_kwargs = DumpJson(variables);
  options->echo["reasoning"] = std::move(effort);
  ResponseToolEcho tools = ParseResponseTools(fields, &conversation, call, &options->warnings);
  options->echo["tools"] = std::move(tools.tools);
  options->echo["tool_choice"] = std::move(tools.choice);
  options->echo["parallel_tool_calls"] = tools.parallel;
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
  options.echo["text"] = ParseTextFormat(&fields, &parsed.call.constraint, &options.warnings);
  options.echo["metadata"] = ParseMetadata(&fields);
  ParseWithoutEffect(&fields, &options.warnings);
  RefuseUnsupported(&fields);
  for (const std::string& name : fields.AllUnread()) options.warnings.NoEffect(name);
  if (fields.error()) return *fields.error();
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
