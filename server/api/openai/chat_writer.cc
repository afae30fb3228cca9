#include "server/api/openai/chat_writer.h"

#include "engine/base/random_hex.h"
#include "server/api/logprobs.h"

namespace edgegate {

using json = nlohmann::json;

json ChatWriter::Logprobs(const std::vector<SampledToken>& tokens) const {
  return {{"content",
           TokenLogprobs(tokens, model_.text->vocabulary(), output_.return_tokens_as_token_ids)}};
}

std::optional<json> ChatWriter::FirstChoice(int) {
  return json{{"delta", {{"role", "assistant"}, {"content", ""}}}};
}

json ChatWriter::CallDelta(const AnswerPart& part, int choice) {
  const bool begins = part.kind == AnswerPart::Kind::kCallBegin;
  int& calls = calls_[static_cast<size_t>(choice)];
  if (begins) ++calls;
  json function = {{"arguments", begins ? "" : part.text}};
  if (begins) function["name"] = part.text;
  if (output_.functions) return {{"function_call", std::move(function)}};
  json call = {{"index", calls - 1}, {"function", std::move(function)}};
  if (begins) call.update({{"id", "call_" + RandomHex(3)}, {"type", "function"}});
  return {{"tool_calls", json::array({std::move(call)})}};
}

std::vector<json> ChatWriter::DeltaChoices(const ChoiceEvent& event) {
  std::vector<json> choices;
  for (const AnswerPart& part : event.parts) {
    switch (part.kind) {
      case AnswerPart::Kind::kContent:
        choices.push_back({{"delta", {{"content", part.text}}}});
        break;
      case AnswerPart::Kind::kReasoning:
        choices.push_back({{"delta", {{"reasoning_content", part.text}}}});
        break;
      case AnswerPart::Kind::kCallBegin:
      case AnswerPart::Kind::kArguments:
        choices.push_back({{"delta", CallDelta(part, event.choice)}});
        break;
      case AnswerPart::Kind::kCallEnd:
        break;
    }
  }
  if (choices.empty()) choices.push_back({{"delta", json::object()}});
  if (output_.logprobs) choices.back()["logprobs"] = Logprobs(event.tokens);
  // The chunk with the finish_reason has an empty delta.
  const bool ends = event.end != ChoiceEnd::kNone;
  if (ends && !choices.back()["delta"].empty()) choices.push_back({{"delta", json::object()}});
  return choices;
}

json ChatWriter::WholeMessage(const Collected& collected) const {
  std::string reasoning;
  json calls = json::array();
  for (const AnswerPart& part : collected.parts) {
    if (part.kind == AnswerPart::Kind::kReasoning) reasoning += part.text;
    if (part.kind == AnswerPart::Kind::kCallBegin) {
      calls.push_back({{"name", part.text}, {"arguments", ""}});
    } else if (part.kind == AnswerPart::Kind::kArguments) {
      calls.back()["arguments"].get_ref<std::string&>() += part.text;
    }
  }
  json message = {{"role", "assistant"}, {"content", collected.text}, {"refusal", nullptr}};
  if (!reasoning.empty()) message["reasoning_content"] = reasoning;
  if (calls.empty()) return message;
  if (collected.text.empty()) message["content"] = nullptr;
  if (output_.functions) {
    message["function_call"] = calls[0];
    return message;
  }
  for (json& call : calls) {
    json function = std::move(call);
    call = {
        {"id", "call_" + RandomHex(3)}, {"type", "function"}, {"function", std::move(function)}};
  }
  message["tool_calls"] = std::move(calls);
  return message;
}

json ChatWriter::WholeChoice(int, const Collected& collected) {
  json choice = {{"message", WholeMessage(collected)}};
  if (output_.logprobs) choice["logprobs"] = Logprobs(collected.tokens);
  return choice;
}

void ChatWriter::CompleteAnswer(json* answer) {
  if (output_.return_token_ids) (*answer)["prompt_token_ids"] = generation_.prompt(0);
}

}  // namespace edgegate
