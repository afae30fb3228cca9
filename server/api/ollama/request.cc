#include "server/api/ollama/request.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "server/api/conversation/messages.h"
#include "server/api/json/json_reader.h"
#include "server/api/ollama/messages.h"
#include "server/api/ollama/parameters.h"
#include "server/api/ollama/writer.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Reads the members that both requests have.
OllamaOptions ParseShared(Fields* fields, bool chat, Call* call) {
  OllamaOptions options{.chat = chat};
  const std::string name = fields->String("model").value_or("");
  if (name.empty()) fields->Fail(MissingField("model"));
  call->model = OllamaModelName(name);
  options.stream = fields->Bool("stream").value_or(true);
  options.logprobs = ParseOllamaLogprobs(fields, call);
  ParseOllamaOptions(fields, call);
  ParseOllamaFormat(fields, call);
  return options;
}

// Makes the answer of a request without a question.
void AnswerLoad(const OllamaOptions& options, bool unload, ParsedCall* parsed) {
  parsed->answer = [options, unload](const ServedModel& model) {
    return OllamaLoadAnswer(options, model.name, unload ? "unload" : "load");
  };
}

std::variant<ParsedCall, CallError> Finish(Fields* fields, OllamaOptions options,
                                           ParsedCall parsed) {
  if (auto error = fields->Finish()) return *std::move(error);
  options.warnings.Merge(fields->warnings());
  parsed.stream = options.stream;
  parsed.warnings = options.warnings;
  parsed.make_writer = [options](const ServedModel& model, const Generation& generation) {
    return std::make_unique<OllamaWriter>(options, model, generation);
  };
  return parsed;
}

// Refuses members of /api/generate that would change the answer's meaning.
void RefuseUnsupported(Fields* fields) {
  for (const char* name : {"suffix", "template", "context", "width", "height", "steps"}) {
    const json& value = fields->Raw(name);
    const bool unset =
        value.is_null() || value == "" || value == 0 || (value.is_array() && value.empty());
    if (!unset) {
      fields->Fail(BadField(name, fmt::format("'{}' is not supported by /api/generate.", name)));
    }
  }
}

}  // namespace

std::variant<ParsedCall, CallError> ParseOllamaChat(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedCall parsed;
  OllamaOptions options = ParseShared(&fields, true, &parsed.call);
  const bool unload = ParseKeepAlive(&fields, &options.warnings);
  Conversation conversation;
  conversation.messages = ParseOllamaMessages(&fields, &parsed.call.images);
  ContinueFinalMessage(&conversation);
  conversation.template_kwargs = ParseThink(&fields);
  ParseOllamaTools(&fields, &conversation, &parsed.call);
  if (conversation.messages.empty()) AnswerLoad(options, unload, &parsed);
  parsed.call.input = std::move(conversation);
  parsed.call.input_field = "messages";
  parsed.call.split_reasoning = true;
  return Finish(&fields, std::move(options), std::move(parsed));
}

std::variant<ParsedCall, CallError> ParseOllamaGenerate(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedCall parsed;
  OllamaOptions options = ParseShared(&fields, false, &parsed.call);
  const bool unload = ParseKeepAlive(&fields, &options.warnings);
  const std::string prompt = fields.String("prompt").value_or("");
  const std::string system = fields.String("system").value_or("");
  Conversation conversation;
  conversation.template_kwargs = ParseThink(&fields);
  auto parts = ParseOllamaImages(&fields, fields.Raw("images"), "images", &parsed.call.images);
  RefuseUnsupported(&fields);
  parsed.call.input_field = "prompt";
  if (prompt.empty() && parts.empty()) AnswerLoad(options, unload, &parsed);
  if (fields.Bool("raw").value_or(false)) {
    if (!parts.empty()) {
      fields.Fail(BadField("raw", "Invalid 'raw': a raw prompt cannot show images."));
    }
    parsed.call.input = std::vector<TextPrompt>{prompt};
    return Finish(&fields, std::move(options), std::move(parsed));
  }
  if (!system.empty()) {
    conversation.messages.push_back({"system", {{ChatPart::Kind::kText, system}}});
  }
  parts.push_back({ChatPart::Kind::kText, prompt});
  conversation.messages.push_back({"user", std::move(parts)});
  parsed.call.input = std::move(conversation);
  parsed.call.split_reasoning = true;
  return Finish(&fields, std::move(options), std::move(parsed));
}

}  // namespace edgegate
