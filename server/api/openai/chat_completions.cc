#include "server/api/openai/chat_completions.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "server/api/conversation/messages.h"
#include "server/api/conversation/video_parts.h"
#include "server/api/inert_parameters.h"
#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"
#include "server/api/openai/chat_writer.h"
#include "server/api/openai/errors.h"
#include "server/api/openai/messages.h"
#include "server/api/openai/parameters.h"
#include "server/api/openai/tools.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Reads Ollama's `think`: a boolean, or an effort.
void ParseThink(Fields* fields, json* variables) {
  const json& think = fields->Raw("think");
  if (think.is_string() && IsEffort(think.get<std::string>())) {
    SetEffort(think.get<std::string>(), variables);
  } else if (think.is_boolean()) {
    if (variables->is_null()) *variables = json::object();
    if (!variables->contains("enable_thinking")) (*variables)["enable_thinking"] = think;
  } else if (!think.is_null()) {
    fields->Fail(BadField("think",
                          "Invalid 'think': expected true, false, 'low', 'medium' or "
                          "'high'."));
  }
}

// Reads the variables of the template that a request sets. Returns a JSON object, or an empty text.
std::string ParseTemplateVariables(Fields* fields) {
  json variables = fields->Raw("chat_template_kwargs");
  if (!variables.is_null() && !variables.is_object()) {
    fields->Fail(
        BadField("chat_template_kwargs", "Invalid 'chat_template_kwargs': expected an object."));
    return {};
  }
  if (const auto effort = fields->String("reasoning_effort")) {
    if (!IsEffort(*effort)) {
      fields->Fail(BadField("reasoning_effort", InvalidEffort("reasoning_effort")));
      return {};
    }
    SetEffort(*effort, &variables);
  }
  ParseThink(fields, &variables);
  return variables.is_null() ? std::string() : DumpJson(variables);
}

// Reads the limit of the thoughts. -1 in the request: no limit.
void ParseThinkingBudget(Fields* fields, Call* call) {
  constexpr int64_t kMost = int64_t{1} << 30;
  const auto budget = fields->Int("thinking_budget_tokens", -1, kMost);
  const auto other_name = fields->Int("reasoning_budget_tokens", -1, kMost);
  if (budget && other_name && *budget != *other_name) {
    fields->Fail(BadField("thinking_budget_tokens",
                          "'thinking_budget_tokens' and 'reasoning_budget_tokens' differ."));
  }
  const int64_t tokens = budget.value_or(other_name.value_or(-1));
  if (tokens >= 0) call->thinking_tokens = static_cast<int>(tokens);
}

// Reads llama.cpp's `reasoning_format`. True: thoughts are split from the content.
bool ParseReasoningFormat(Fields* fields) {
  const std::string format = fields->String("reasoning_format").value_or("auto");
  if (format != "auto" && format != "deepseek" && format != "none") {
    fields->Fail(BadField("reasoning_format",
                          "Invalid 'reasoning_format': expected 'auto', 'deepseek' or 'none'."));
  }
  return format != "none";
}

// Reads vLLM's members for the end of the prompt.
void ParsePromptEnd(Fields* fields, Conversation* conversation) {
  const auto generation = fields->Bool("add_generation_prompt");
  conversation->add_generation_prompt = generation.value_or(true);
  const char* const name = "continue_final_message";
  if (!fields->Bool(name).value_or(false)) return;
  if (generation == true) {
    fields->Fail(BadField(
        name, "'continue_final_message' and 'add_generation_prompt' cannot both be true."));
  } else if (!ContinueFinalMessage(conversation)) {
    fields->Fail(BadField(name,
                          "'continue_final_message' needs a last message of the assistant, without "
                          "'tool_calls'."));
  }
}

}  // namespace

bool ParseChatInput(Fields* fields, Call* call) {
  Conversation conversation;
  conversation.messages = ParseMessages(fields, &call->images);
  ParsePromptEnd(fields, &conversation);
  conversation.template_kwargs = ParseTemplateVariables(fields);
  const bool functions = ParseTools(fields, &conversation, call);
  call->input = std::move(conversation);
  call->input_field = "messages";
  call->split_reasoning = ParseReasoningFormat(fields);
  ParseThinkingBudget(fields, call);
  call->video = ParseVideoWish(fields);
  return functions;
}

namespace {

void ParseLogprobs(Fields* fields, Call* call) {
  const bool wanted = fields->Bool("logprobs").value_or(false);
  const auto top = fields->Int("top_logprobs", 0, 20);
  if (top && *top > 0 && !wanted) {
    fields->Fail(BadField("top_logprobs", "'top_logprobs' needs 'logprobs' to be true."));
  }
  if (wanted) call->sampling.top_logprobs = static_cast<int>(top.value_or(0));
}

}  // namespace

std::variant<ParsedCall, CallError> ParseChatCompletion(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedCall parsed;
  OutputOptions output;
  ParseModel(&fields, &parsed.call);
  output.functions = ParseChatInput(&fields, &parsed.call);
  ParseLengths(&fields, 1, &parsed.call);
  ParseSampling(&fields, &parsed.call);
  ParseLogprobs(&fields, &parsed.call);
  ParseStop(&fields, &parsed.call);
  ParseOutput(&fields, &parsed.call, &output);
  if (parsed.call.ignore_eos && parsed.call.tools) {
    fields.Fail(BadField("ignore_eos", "'ignore_eos' cannot be used with 'tools'."));
  }
  if (parsed.call.min_tokens > 0 && parsed.call.tools) {
    fields.Fail(BadField("min_tokens", "'min_tokens' cannot be used with 'tools'."));
  }
  ParseBestOf(&fields, parsed.call.num_choices);
  ReadInertParameters(RequestKind::kChat, &fields);
  if (auto error = fields.Finish()) return *std::move(error);
  parsed.warnings = output.warnings = fields.warnings();
  output.logprobs = parsed.call.sampling.top_logprobs.has_value();
  parsed.stream = output.stream;
  parsed.make_writer = [output](const ServedModel& model, const Generation& generation) {
    return std::make_unique<ChatWriter>(output, model, generation);
  };
  return parsed;
}

void AddChatCompletions(const ApiServices& services, Router* router) {
  router->Add(
      {.method = "POST",
       .path = "/v1/chat/completions",
       .scope = Scope::kApi,
       .summary = "The model's next message in a conversation, whole or as a stream.",
       .api = "openai/chat_completions",
       .error_body = OpenAiErrorBody,
       .handle = [&](Exchange& exchange) { AnswerCall(services, ParseChatCompletion, exchange); }});
}

}  // namespace edgegate
