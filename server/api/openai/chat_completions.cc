#include "server/api/openai/chat_completions.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"
#include "server/api/openai/chat_writer.h"
#include "server/api/openai/errors.h"
#include "server/api/openai/messages.h"
#include "server/api/openai/parameters.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

void ParseConversation(Fields* fields, Call* call) {
  Conversation conversation;
  conversation.messages = ParseMessages(fields, &call->images);
  conversation.add_generation_prompt = fields->Bool("add_generation_prompt").value_or(true);
  const json& kwargs = fields->Raw("chat_template_kwargs");
  if (kwargs.is_object()) {
    conversation.template_kwargs = DumpJson(kwargs);
  } else if (!kwargs.is_null()) {
    fields->Fail(
        BadField("chat_template_kwargs", "Invalid 'chat_template_kwargs': expected an object."));
  }
  call->input = std::move(conversation);
  call->input_field = "messages";
}

void RefuseTools(Fields* fields) {
  const json& tools = fields->Raw("tools");
  if (!tools.is_null() && !(tools.is_array() && tools.empty())) {
    fields->Fail(BadField("tools", "'tools' is not supported."));
  }
  const json& choice = fields->Raw("tool_choice");
  if (!choice.is_null() && choice != "none") {
    fields->Fail(BadField("tool_choice", "'tool_choice' is not supported."));
  }
}

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
  ParseConversation(&fields, &parsed.call);
  RefuseTools(&fields);
  ParseLengths(&fields, 1, &parsed.call);
  ParseSampling(&fields, &parsed.call);
  ParseLogprobs(&fields, &parsed.call);
  ParseStop(&fields, &parsed.call);
  ParseOutput(&fields, &parsed.call, &output);
  ParseIgnored(&fields, parsed.call.num_choices);
  if (auto error = ErrorOf(fields)) return *std::move(error);
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
       .error_body = OpenAiErrorBody,
       .handle = [&](Exchange& exchange) { AnswerCall(services, ParseChatCompletion, exchange); }});
}

}  // namespace edgegate
