#include "server/api/rerank/rerank.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/random_hex.h"
#include "server/api/embedding_fields.h"
#include "server/api/inert_parameters.h"
#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"
#include "server/api/openai/errors.h"
#include "server/api/openai/parameters.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// The data that the writer of the answer needs.
struct RerankOutput {
  std::vector<std::string> documents;  // empty: they are not returned
  size_t count = 0;                    // of documents
  size_t top_n = 0;
  Warnings warnings;
};

void AddText(const json& value, std::string field, Fields* fields,
             std::vector<EmbeddingInput>* inputs) {
  const json* text = &value;
  if (value.is_object() && value.contains("text")) {
    text = &value["text"];
    field += ".text";
  }
  if (!text->is_string()) {
    return fields->Fail(BadField(
        field, fmt::format("Invalid '{}': expected a string, or an object with a text.", field)));
  }
  if (text->get_ref<const std::string&>().empty()) {
    return fields->Fail(BadField(field, fmt::format("Invalid '{}': it is empty.", field)));
  }
  inputs->push_back({text->get<std::string>(), std::move(field)});
}

// Reads the query, which becomes the first input, and the documents.
std::vector<EmbeddingInput> ParseTexts(Fields* fields) {
  std::vector<EmbeddingInput> inputs;
  const json& query = fields->Raw("query");
  const json& documents = fields->Raw("documents");
  for (const char* name : {"query", "documents"}) {
    if (!fields->Raw(name).is_null()) continue;
    fields->Fail(MissingField(name));
    return inputs;
  }
  AddText(query, "query", fields, &inputs);
  if (!documents.is_array() || documents.empty() || documents.size() > kMostInputs) {
    fields->Fail(BadField(
        "documents",
        fmt::format("Invalid 'documents': expected an array of 1 to {} texts.", kMostInputs)));
    return inputs;
  }
  for (size_t i = 0; i < documents.size() && !fields->error(); ++i) {
    AddText(documents[i], fmt::format("documents[{}]", i), fields, &inputs);
  }
  return inputs;
}

double Cosine(const float* a, const float* b, int width) {
  double product = 0, squares_a = 0, squares_b = 0;
  for (int i = 0; i < width; ++i) {
    product += double{a[i]} * b[i];
    squares_a += double{a[i]} * a[i];
    squares_b += double{b[i]} * b[i];
  }
  const double lengths = std::sqrt(squares_a * squares_b);
  return lengths > 0 ? std::clamp(product / lengths, -1.0, 1.0) : 0.0;
}

std::string Write(const ServedModel& model, const EmbeddingResult& result,
                  const RerankOutput& output) {
  std::vector<double> scores(output.count);
  for (size_t i = 0; i < output.count; ++i) {
    scores[i] = Cosine(result.Row(0), result.Row(i + 1), result.width);
  }
  std::vector<size_t> order(output.count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  order.resize(std::min(order.size(), output.top_n));
  json results = json::array();
  for (const size_t i : order) {
    json entry = {{"index", i}, {"relevance_score", scores[i]}};
    if (!output.documents.empty()) entry["document"] = {{"text", output.documents[i]}};
    results.push_back(std::move(entry));
  }
  json answer = {{"id", "rerank-" + RandomHex(3)},
                 {"model", model.name},
                 {"usage", {{"prompt_tokens", result.tokens}, {"total_tokens", result.tokens}}},
                 {"results", std::move(results)}};
  if (!output.warnings.empty()) answer["warnings"] = output.warnings.list();
  return DumpJson(answer);
}

}  // namespace

std::variant<ParsedEmbedding, CallError> ParseRerank(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedEmbedding parsed;
  EmbeddingCall& call = parsed.call;
  call.model = fields.String("model").value_or("");
  call.inputs = ParseTexts(&fields);
  call.input_field = "documents";
  call.dimensions = ParseDimensions(&fields);
  call.truncate_tokens = ParseTruncation(&fields);
  RerankOutput output;
  output.top_n = static_cast<size_t>(fields.Int("top_n", 1, kMostTokens).value_or(kMostTokens));
  const bool documents = fields.Bool("return_documents").value_or(true);
  ReadInertParameters(RequestKind::kRerank, &fields);
  if (auto error = fields.Finish()) return *std::move(error);
  parsed.warnings = fields.warnings();
  output.warnings = parsed.warnings;
  output.count = call.inputs.size() - 1;
  int64_t bytes = 0;
  for (size_t i = 1; documents && i < call.inputs.size(); ++i) {
    output.documents.push_back(std::get<std::string>(call.inputs[i].text));
    bytes += 3 * std::ssize(output.documents.back());
  }
  const int64_t most = bytes + 128 * static_cast<int64_t>(output.count);
  parsed.bytes = [most](int /*width*/) { return most; };
  parsed.write = [output = std::move(output)](const ServedModel& model,
                                              const EmbeddingResult& result) {
    return Write(model, result, output);
  };
  return parsed;
}

void AddRerank(const ApiServices& services, Router* router) {
  // Cohere's clients use /v1 and /v2, and some clients of vLLM no version.
  for (const char* path : {"/v1/rerank", "/v2/rerank", "/rerank"}) {
    router->Add(
        {.method = "POST",
         .path = path,
         .scope = Scope::kApi,
         .summary = "Documents in the order of their similarity to a query.",
         .api = "rerank/rerank",
         .error_body = OpenAiErrorBody,
         .handle = [&](Exchange& exchange) { AnswerEmbedding(services, ParseRerank, exchange); }});
  }
}

}  // namespace edgegate
