#include "server/api/openai/chat_writer.h"

namespace edgegate {

using json = nlohmann::json;

json ChatWriter::Token(int32_t token, float logprob) const {
  json bytes = json::array();
  for (char c : model_.text->vocabulary().TokenBytes(token)) {
    bytes.push_back(static_cast<uint8_t>(c));
  }
  return {{"token", TokenText(token)}, {"logprob", logprob}, {"bytes", std::move(bytes)}};
}

json ChatWriter::Logprobs(const std::vector<SampledToken>& tokens) const {
  json content = json::array();
  for (const SampledToken& t : tokens) {
    json entry = Token(t.token, t.logprob);
    entry["top_logprobs"] = json::array();
    for (const TokenLogprob& top : t.top) {
      entry["top_logprobs"].push_back(Token(top.token, top.logprob));
    }
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}};
}

std::optional<json> ChatWriter::FirstChoice(int) {
  return json{{"delta", {{"role", "assistant"}, {"content", ""}}}};
}

json ChatWriter::DeltaChoice(const ChoiceEvent& event) {
  json choice = {{"delta", event.text.empty() ? json::object() : json{{"content", event.text}}}};
  if (output_.logprobs) choice["logprobs"] = Logprobs(event.tokens);
  return choice;
}

json ChatWriter::WholeChoice(int, const Collected& collected) {
  json choice = {
      {"message", {{"role", "assistant"}, {"content", collected.text}, {"refusal", nullptr}}}};
  if (output_.logprobs) choice["logprobs"] = Logprobs(collected.tokens);
  return choice;
}

void ChatWriter::CompleteAnswer(json* answer) {
  if (output_.return_token_ids) (*answer)["prompt_token_ids"] = generation_.prompt(0);
}

}  // namespace edgegate
