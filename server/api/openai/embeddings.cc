#include "server/api/openai/embeddings.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "server/api/embedding_fields.h"
#include "server/api/inert_parameters.h"
#include "server/api/json/base64.h"
#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"
#include "server/api/openai/errors.h"
#include "server/api/openai/parameters.h"
#include "server/api/warnings_member.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

CallError WrongInput(const std::string& name) {
  return BadField(name,
                  fmt::format("Invalid '{}': expected a string, an array of strings, an array "
                              "of token ids, or an array of such arrays.",
                              name));
}

// Reads one text or its token ids. `name`: the member. An error is stored in `fields`. llama.cpp's
// objects have the text in `prompt_string`.
void AddInput(const json& value, const std::string& name, std::string field, Fields* fields,
              std::vector<EmbeddingInput>* inputs) {
  if (value.is_object()) {
    const json& text = MemberOf(value, "prompt_string");
    const json& media = MemberOf(value, "multimodal_data");
    if (!media.is_null() && !media.empty()) {
      return fields->Fail(BadField(field + ".multimodal_data",
                                   "Only texts have embeddings: 'multimodal_data' must be empty."));
    }
    if (!text.is_string()) return fields->Fail(WrongInput(name));
    return AddInput(text, name, field + ".prompt_string", fields, inputs);
  }
  if (value.is_string()) {
    if (value.get_ref<const std::string&>().empty()) {
      return fields->Fail(BadField(field, fmt::format("Invalid '{}': it is empty.", field)));
    }
    return inputs->push_back({value.get<std::string>(), std::move(field)});
  }
  auto ids = TokenIds(value);
  if (!ids) return fields->Fail(WrongInput(name));
  if (ids->empty()) {
    return fields->Fail(BadField(field, fmt::format("Invalid '{}': it is empty.", field)));
  }
  inputs->push_back({*std::move(ids), std::move(field)});
}

std::string Write(const ServedModel& model, const EmbeddingResult& result, size_t count,
                  bool base64, const Warnings& warnings) {
  std::string out = R"({"object":"list","data":[)";
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out.push_back(',');
    out += fmt::format(R"({{"object":"embedding","index":{},"embedding":)", i);
    const auto bytes = static_cast<size_t>(result.width) * sizeof(float);
    if (base64) {
      out += '"' + EncodeBase64({reinterpret_cast<const char*>(result.Row(i)), bytes}) + "\"}";
    } else {
      AppendNumbers(result.Row(i), result.width, &out);
      out.push_back('}');
    }
  }
  return out + fmt::format(R"(],"model":{},"usage":{{"prompt_tokens":{},"total_tokens":{}}}{}}})",
                           DumpJson(json(model.name)), result.tokens, result.tokens,
                           WarningsMember(warnings));
}

}  // namespace

std::vector<EmbeddingInput> ParseEmbeddingInputs(Fields* fields, const std::string& name) {
  std::vector<EmbeddingInput> inputs;
  const json& input = fields->Raw(name);
  if (input.is_null()) {
    fields->Fail(MissingField(name));
    return inputs;
  }
  const bool is_list = input.is_array() && !input.empty() && !input[0].is_number();
  if (!is_list) {
    AddInput(input, name, name, fields, &inputs);
    return inputs;
  }
  if (input.size() > kMostInputs) {
    fields->Fail(
        BadField(name, fmt::format("Invalid '{}': it has {} items; at most {} are computed.", name,
                                   input.size(), kMostInputs)));
    return inputs;
  }
  for (size_t i = 0; i < input.size() && !fields->error(); ++i) {
    AddInput(input[i], name, fmt::format("{}[{}]", name, i), fields, &inputs);
  }
  return inputs;
}

std::variant<ParsedEmbedding, CallError> ParseEmbeddings(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedEmbedding parsed;
  EmbeddingCall& call = parsed.call;
  call.model = fields.String("model").value_or("");
  call.inputs = ParseEmbeddingInputs(&fields, "input");
  call.input_field = "input";
  call.dimensions = ParseDimensions(&fields);
  call.truncate_tokens = ParseTruncation(&fields);
  const std::string format = fields.String("encoding_format").value_or("float");
  if (format != "float" && format != "base64") {
    fields.Fail(
        BadField("encoding_format", "Invalid 'encoding_format': expected 'float' or 'base64'."));
  }
  ReadInertParameters(RequestKind::kEmbeddings, &fields);
  if (auto error = fields.Finish()) return *std::move(error);
  parsed.warnings = fields.warnings();
  const size_t count = call.inputs.size();
  parsed.write = [count, base64 = format == "base64", warnings = parsed.warnings](
                     const ServedModel& model, const EmbeddingResult& result) {
    return Write(model, result, count, base64, warnings);
  };
  parsed.bytes = [count](int width) {
    return static_cast<int64_t>(count) * width * kBytesOfNumber;
  };
  return parsed;
}

void AddEmbeddings(const ApiServices& services, Router* router) {
  router->Add({.method = "POST",
               .path = "/v1/embeddings",
               .scope = Scope::kApi,
               .summary = "The embeddings of texts.",
               .api = "openai/embeddings",
               .error_body = OpenAiErrorBody,
               .handle = [&](Exchange& exchange) {
                 AnswerEmbedding(services, ParseEmbeddings, exchange);
               }});
}

}  // namespace edgegate
