#include "server/api/llamacpp/embeddings.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "server/api/embedding_fields.h"
#include "server/api/inert_parameters.h"
#include "server/api/json/json_reader.h"
#include "server/api/openai/embeddings.h"
#include "server/api/openai/errors.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Writes a list with one embedding for each text. The answer is a list, so that it has no place for
// warnings.
std::string Write(const EmbeddingResult& result, size_t count) {
  std::string out = "[";
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out.push_back(',');
    out += fmt::format(R"({{"index":{},"embedding":[)", i);
    AppendNumbers(result.Row(i), result.width, &out);
    out += "]}";
  }
  return out + "]";
}

}  // namespace

std::variant<ParsedEmbedding, CallError> ParseLlamaEmbeddings(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedEmbedding parsed;
  EmbeddingCall& call = parsed.call;
  call.model = fields.String("model").value_or("");
  parsed.any_model = true;
  const std::string name = fields.Raw("input").is_null() ? "content" : "input";
  call.inputs = ParseEmbeddingInputs(&fields, name);
  call.input_field = name;
  fields.Raw("content");
  call.dimensions = ParseDimensions(&fields);
  call.truncate_tokens = ParseTruncation(&fields);
  const std::string format = fields.String("encoding_format").value_or("float");
  if (format != "float") {
    fields.Fail(BadField("encoding_format", "Invalid 'encoding_format': expected 'float'."));
  }
  ReadInertParameters(RequestKind::kEmbeddings, &fields);
  if (auto error = fields.Finish()) return *std::move(error);
  parsed.warnings = fields.warnings();
  const size_t count = call.inputs.size();
  parsed.write = [count](const ServedModel& /*model*/, const EmbeddingResult& result) {
    return Write(result, count);
  };
  parsed.bytes = [count](int width) {
    return static_cast<int64_t>(count) * width * kBytesOfNumber;
  };
  return parsed;
}

void AddLlamaEmbeddings(const ApiServices& services, Router* router) {
  for (const char* path : {"/embeddings", "/embedding"}) {
    router->Add({.method = "POST",
                 .path = path,
                 .scope = Scope::kApi,
                 .summary = "The embeddings of texts, in the shape of llama.cpp's server.",
                 .api = "llamacpp/embeddings",
                 .error_body = OpenAiErrorBody,
                 .handle = [&](Exchange& exchange) {
                   AnswerEmbedding(services, ParseLlamaEmbeddings, exchange);
                 }});
  }
}

}  // namespace edgegate
