#include "server/api/openai/completions.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "server/api/inert_parameters.h"
#include "server/api/json/json_reader.h"
#include "server/api/openai/completion_writer.h"
#include "server/api/openai/errors.h"
#include "server/api/openai/parameters.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr int kDefaultTokens = 16;
constexpr size_t kMaxPrompts = 128;

// Reads a text or token ids. nullopt: the value is neither.
std::optional<TextPrompt> ParseOnePrompt(const json& prompt) {
  if (prompt.is_string()) return prompt.get<std::string>();
  return TokenIds(prompt);
}

std::vector<TextPrompt> ParsePrompts(Fields* fields) {
  const json& prompt = fields->Raw("prompt");
  if (prompt.is_null()) {
    fields->Fail(MissingField("prompt"));
    return {};
  }
  const bool is_list = prompt.is_array() && !prompt.empty() && !prompt[0].is_number();
  const json one = json::array({prompt});
  std::vector<TextPrompt> prompts;
  for (const json& item : is_list ? prompt : one) {
    auto parsed = ParseOnePrompt(item);
    if (!parsed) {
      fields->Fail(BadField("prompt",
                            "Invalid 'prompt': expected a string, an array of strings, an array "
                            "of token ids, or an array of such arrays."));
      return {};
    }
    prompts.push_back(*std::move(parsed));
  }
  if (prompts.size() > kMaxPrompts) {
    fields->Fail(BadField("prompt", fmt::format("Invalid 'prompt': more than {}.", kMaxPrompts)));
  }
  return prompts;
}

}  // namespace

std::variant<ParsedCall, CallError> ParseCompletion(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedCall parsed;
  Call& call = parsed.call;
  OutputOptions output;
  ParseModel(&fields, &call);
  std::vector<TextPrompt> prompts = ParsePrompts(&fields);
  const bool echo = fields.Bool("echo").value_or(false);
  ParseLengths(&fields, 0, &call);
  if (call.max_tokens == 0 && !echo) {
    fields.Fail(BadField(call.max_tokens_field, "0 tokens can be asked for only with 'echo'."));
  }
  ParseSampling(&fields, &call);
  if (const auto count = fields.Int("logprobs", 0, 20)) {
    call.sampling.top_logprobs = static_cast<int>(*count);
  }
  ParseStop(&fields, &call);
  ParseOutput(&fields, &call, &output);
  ParseBestOf(&fields, call.num_choices);
  ReadInertParameters(RequestKind::kText, &fields);
  if (auto error = fields.Finish()) return *std::move(error);
  parsed.warnings = output.warnings = fields.warnings();
  output.logprobs = call.sampling.top_logprobs.has_value();
  call.prompt_logprobs = echo && output.logprobs;
  call.default_max_tokens = kDefaultTokens;
  call.input_field = "prompt";
  parsed.stream = output.stream;
  const std::vector<TextPrompt> echoed = echo ? prompts : std::vector<TextPrompt>();
  call.input = std::move(prompts);
  parsed.make_writer = [output, echoed](const ServedModel& model, const Generation& generation) {
    return std::make_unique<CompletionWriter>(output, echoed, model, generation);
  };
  return parsed;
}

void AddCompletions(const ApiServices& services, Router* router) {
  router->Add(
      {.method = "POST",
       .path = "/v1/completions",
       .scope = Scope::kApi,
       .summary = "The continuation of a text, whole or as a stream.",
       .api = "openai/completions",
       .error_body = OpenAiErrorBody,
       .handle = [&](Exchange& exchange) { AnswerCall(services, ParseCompletion, exchange); }});
}

}  // namespace edgegate
