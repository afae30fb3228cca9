#include "server/api/ollama/embed.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "server/api/embedding_fields.h"
#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"
#include "server/api/ollama/errors.h"
#include "server/api/ollama/parameters.h"
#include "server/api/warnings_member.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

void AddText(const json& value, const std::string& field, Fields* fields, EmbeddingCall* call) {
  if (!value.is_string()) {
    return fields->Fail(BadField(field, fmt::format("Invalid '{}': expected a string.", field)));
  }
  call->inputs.push_back({value.get<std::string>(), field});
}

// Reads a text or a list of texts. An empty text or list asks for no embeddings.
void ParseInput(Fields* fields, EmbeddingCall* call) {
  const json& input = fields->Raw("input");
  if (input.is_null() || input == "") return;
  if (!input.is_array()) return AddText(input, "input", fields, call);
  if (input.size() > kMostInputs) {
    return fields->Fail(
        BadField("input", fmt::format("Invalid 'input': it has {} items; at most {} are computed.",
                                      input.size(), kMostInputs)));
  }
  for (size_t i = 0; i < input.size() && !fields->error(); ++i) {
    AddText(input[i], fmt::format("input[{}]", i), fields, call);
  }
}

// Reads the members that both requests have.
void ParseShared(Fields* fields, EmbeddingCall* call) {
  const std::string name = fields->String("model").value_or("");
  if (name.empty()) fields->Fail(MissingField("model"));
  call->model = OllamaModelName(name);
  if (fields->Bool("truncate").value_or(true)) call->truncate_tokens = 0;
  ParseKeepAlive(fields, &fields->warnings());
  const json& options = fields->Raw("options");
  if (!options.is_null() && !options.is_object()) {
    fields->Fail(BadField("options", "Invalid 'options': expected an object."));
  } else if (!options.empty()) {
    fields->warnings().NoEffect("options");
  }
}

std::string WriteEmbed(const ServedModel& model, const EmbeddingResult& result, size_t count,
                       Clock::time_point start, const Warnings& warnings) {
  std::string out = fmt::format(R"({{"model":{},"embeddings":[)", DumpJson(json(model.name)));
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out.push_back(',');
    AppendNumbers(result.Row(i), result.width, &out);
  }
  const auto taken = std::chrono::nanoseconds(Clock::now() - start).count();
  return out + fmt::format(R"(],"total_duration":{},"load_duration":0,"prompt_eval_count":{}{}}})",
                           taken, result.tokens, WarningsMember(warnings));
}

// Sets the size of the answer.
ParsedEmbedding Sized(ParsedEmbedding parsed) {
  parsed.bytes = [count = parsed.call.inputs.size()](int width) {
    return static_cast<int64_t>(count) * width * kBytesOfNumber;
  };
  return parsed;
}

}  // namespace

std::variant<ParsedEmbedding, CallError> ParseOllamaEmbed(std::string_view body) {
  const auto start = Clock::now();
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedEmbedding parsed;
  parsed.call.input_field = "input";
  ParseShared(&fields, &parsed.call);
  ParseInput(&fields, &parsed.call);
  parsed.call.dimensions = ParseDimensions(&fields);
  if (auto error = fields.Finish()) return *std::move(error);
  parsed.warnings = fields.warnings();
  parsed.write = [count = parsed.call.inputs.size(), start, warnings = parsed.warnings](
                     const ServedModel& model, const EmbeddingResult& result) {
    return WriteEmbed(model, result, count, start, warnings);
  };
  return Sized(std::move(parsed));
}

std::variant<ParsedEmbedding, CallError> ParseOllamaEmbeddings(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedEmbedding parsed;
  parsed.call.input_field = "prompt";
  ParseShared(&fields, &parsed.call);
  std::string prompt = fields.String("prompt").value_or("");
  if (!prompt.empty()) parsed.call.inputs.push_back({std::move(prompt), "prompt"});
  if (auto error = fields.Finish()) return *std::move(error);
  parsed.warnings = fields.warnings();
  parsed.write = [warnings = parsed.warnings](const ServedModel&, const EmbeddingResult& result) {
    std::string out = R"({"embedding":)";
    AppendNumbers(result.embeddings.data(), result.embeddings.empty() ? 0 : result.width, &out);
    return out + WarningsMember(warnings) + "}";
  };
  return Sized(std::move(parsed));
}

void AddOllamaEmbed(const ApiServices& services, Router* router) {
  router->Add({.method = "POST",
               .path = "/api/embed",
               .scope = Scope::kApi,
               .summary = "The embeddings of texts, in the shape of Ollama's API.",
               .api = "ollama/embed",
               .error_body = OllamaErrorBody,
               .handle = [&](Exchange& exchange) {
                 AnswerEmbedding(services, ParseOllamaEmbed, exchange);
               }});
  router->Add({.method = "POST",
               .path = "/api/embeddings",
               .scope = Scope::kApi,
               .summary = "The embedding of a text, in the older shape of Ollama's API.",
               .api = "ollama/embeddings",
               .error_body = OllamaErrorBody,
               .handle = [&](Exchange& exchange) {
                 AnswerEmbedding(services, ParseOllamaEmbeddings, exchange);
               }});
}

}  // namespace edgegate
