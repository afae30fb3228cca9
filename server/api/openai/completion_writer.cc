#include "server/api/openai/completion_writer.h"

#include <algorithm>
#include <utility>

namespace edgegate {
namespace {

int CodePoints(const std::string& text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

using json = nlohmann::json;

CompletionWriter::CompletionWriter(const OutputOptions& output, std::vector<TextPrompt> echoed,
                                   const ServedModel& model, const Generation& generation)
    : OpenAiWriter(output, model, generation,
                   {"cmpl-", "text_completion", "text_completion", false}),
      echoed_(std::move(echoed)),
      streamed_(static_cast<size_t>(generation.num_choices())) {}

// Adds a token to the log-probabilities. The first token of a prompt has none (`has_logprob` is
// false).
void CompletionWriter::AddToken(const SampledToken& token, bool has_logprob, int* offset,
                                json* out) const {
  const std::string text = TokenText(token.token);
  json top = has_logprob ? json::object() : json(nullptr);
  for (const TokenLogprob& alternative : token.top) {
    // If several ids have the same text, the most likely one is kept.
    top.emplace(TokenText(alternative.token), alternative.logprob);
  }
  if (has_logprob) top.emplace(text, token.logprob);
  (*out)["tokens"].push_back(text);
  (*out)["token_logprobs"].push_back(has_logprob ? json(token.logprob) : json(nullptr));
  (*out)["top_logprobs"].push_back(std::move(top));
  (*out)["text_offset"].push_back(*offset);
  *offset += CodePoints(text);
}

json CompletionWriter::Logprobs(int choice, bool with_prompt,
                                const std::vector<SampledToken>& tokens, int* offset) const {
  json out = {{"tokens", json::array()},
              {"token_logprobs", json::array()},
              {"top_logprobs", json::array()},
              {"text_offset", json::array()}};
  if (with_prompt) {
    AddToken(SampledToken{generation_.prompt(choice)[0], 0, 0, {}}, false, offset, &out);
    for (const SampledToken& t : generation_.prompt_logprobs(choice)) {
      AddToken(t, true, offset, &out);
    }
  }
  for (const SampledToken& t : tokens) AddToken(t, true, offset, &out);
  return out;
}

std::string CompletionWriter::EchoOf(int choice) const {
  if (echoed_.empty()) return {};
  const size_t per_prompt = streamed_.size() / echoed_.size();
  const TextPrompt& prompt = echoed_[static_cast<size_t>(choice) / per_prompt];
  if (const auto* text = std::get_if<std::string>(&prompt)) return *text;
  return model_.text->vocabulary().Decode(std::get<std::vector<int32_t>>(prompt), false);
}

std::optional<json> CompletionWriter::FirstChoice(int choice) {
  if (echoed_.empty() && !output_.return_token_ids) return std::nullopt;
  return json{{"text", EchoOf(choice)}};
}

std::vector<nlohmann::json> CompletionWriter::DeltaChoices(const ChoiceEvent& event) {
  json choice = {{"text", event.text}};
  if (output_.logprobs) {
    Streamed& state = streamed_[static_cast<size_t>(event.choice)];
    const bool with_prompt = !echoed_.empty() && !state.prompt_sent;
    choice["logprobs"] = Logprobs(event.choice, with_prompt, event.tokens, &state.text_offset);
    state.prompt_sent = true;
  }
  return {std::move(choice)};
}

json CompletionWriter::WholeChoice(int choice, const Collected& collected) {
  json out = {{"text", EchoOf(choice) + collected.text}};
  int offset = 0;
  if (output_.logprobs) {
    out["logprobs"] = Logprobs(choice, !echoed_.empty(), collected.tokens, &offset);
  }
  return out;
}

}  // namespace edgegate
