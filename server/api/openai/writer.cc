#include "server/api/openai/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "engine/base/random_hex.h"
#include "server/api/json/dump.h"
#include "server/api/logprobs.h"
#include "server/api/openai/errors.h"
#include "server/http/framing.h"

namespace edgegate {
namespace {

using nlohmann::json;

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

json FinishName(ChoiceEnd end, bool functions) {
  switch (end) {
    case ChoiceEnd::kNone:
      return nullptr;
    case ChoiceEnd::kCalls:
      return functions ? "function_call" : "tool_calls";
    case ChoiceEnd::kStop:
      return "stop";
    case ChoiceEnd::kLength:
      return "length";
    case ChoiceEnd::kFailed:
      return "error";
  }
  return nullptr;
}

// Returns the stop string or stop token that ended the choice, in vLLM's format.
json StopReason(const ChoiceEvent& event) {
  if (event.stop_string) return *event.stop_string;
  return event.stop_token ? json(*event.stop_token) : json(nullptr);
}

json Ids(const std::vector<SampledToken>& tokens) {
  json ids = json::array();
  for (const SampledToken& t : tokens) ids.push_back(t.token);
  return ids;
}

}  // namespace

OpenAiWriter::OpenAiWriter(const OutputOptions& output, const ServedModel& model,
                           const Generation& generation, const Names& names)
    : output_(output),
      model_(model),
      generation_(generation),
      names_(names),
      id_(names.id_prefix + RandomHex(3)),
      created_(Now()),
      choices_(static_cast<size_t>(generation.num_choices())),
      open_(generation.num_choices()),
      begun_(std::chrono::steady_clock::now()) {}

const char* OpenAiWriter::content_type() const { return output_.stream ? kSseType : kJsonType; }

std::string_view OpenAiWriter::heartbeat() const {
  return output_.stream ? kSseComment : std::string_view();
}

std::string OpenAiWriter::Begin() {
  std::string events;
  for (int i = 0; output_.stream && i < generation_.num_choices(); ++i) {
    std::optional<json> choice = FirstChoice(i);
    if (!choice) continue;
    choice->update({{"index", i}, {"logprobs", nullptr}, {"finish_reason", nullptr}});
    if (output_.return_token_ids) (*choice)["prompt_token_ids"] = generation_.prompt(i);
    events += Chunk(*std::move(choice), false);
  }
  return events;
}

std::string OpenAiWriter::Delta(const ChoiceEvent& event) {
  const bool ends = event.end != ChoiceEnd::kNone;
  if (ends) --open_;
  if (first_token_ == std::chrono::steady_clock::time_point() && !event.tokens.empty()) {
    first_token_ = std::chrono::steady_clock::now();
  }
  if (!output_.stream) {
    auto& collected = choices_[static_cast<size_t>(event.choice)];
    collected.text += event.text;
    for (const AnswerPart& part : event.parts) {
      if (part.kind != AnswerPart::Kind::kContent) AppendPart(part, &collected.parts);
    }
    collected.tokens.insert(collected.tokens.end(), event.tokens.begin(), event.tokens.end());
    collected.finish_reason = FinishName(event.end, output_.functions);
    if (ends) collected.stop_reason = StopReason(event);
    return {};
  }
  const bool wants_tokens = (output_.logprobs || output_.return_token_ids) && !event.tokens.empty();
  if (event.parts.empty() && !ends && !wants_tokens) return {};
  std::string chunks;
  std::vector<json> deltas = DeltaChoices(event);
  for (size_t i = 0; i < deltas.size(); ++i) {
    json choice = {{"index", event.choice}, {"logprobs", nullptr}, {"finish_reason", nullptr}};
    choice.update(deltas[i]);
    const bool last = i + 1 == deltas.size();
    if (last) {
      choice["finish_reason"] = FinishName(event.end, output_.functions);
      if (output_.return_token_ids) choice["token_ids"] = Ids(event.tokens);
      if (ends) choice["stop_reason"] = StopReason(event);
    }
    chunks += Chunk(std::move(choice), last && ends && open_ == 0);
  }
  return chunks;
}

std::string OpenAiWriter::End() {
  if (!output_.stream) return WholeAnswer();
  std::string events;
  if (output_.include_usage) {
    json chunk = Envelope(names_.chunk_object);
    chunk["usage"] = Usage();
    chunk["timings"] = Timings();
    AddWarnings(&chunk);
    events = SseEvent(DumpJson(chunk));
  }
  return events + SseEvent("[DONE]");
}

std::string OpenAiWriter::Fail(const HttpError& error) { return SseEvent(OpenAiErrorBody(error)); }

std::string OpenAiWriter::TokenText(int32_t token) const {
  return NameOfToken(token, model_.text->vocabulary(), output_.return_tokens_as_token_ids);
}

json OpenAiWriter::Envelope(const char* object) const {
  json envelope = {{"id", id_},
                   {"object", object},
                   {"created", created_},
                   {"model", model_.name},
                   {"system_fingerprint", model_.fingerprint},
                   {"choices", json::array()}};
  if (names_.service_tier) envelope["service_tier"] = "default";
  return envelope;
}

std::string OpenAiWriter::Chunk(json choice, bool last) const {
  json chunk = Envelope(names_.chunk_object);
  chunk["choices"].push_back(std::move(choice));
  if (output_.include_usage) chunk["usage"] = nullptr;
  if (output_.continuous_usage) chunk["usage"] = Counts();
  if (output_.timings_per_token) chunk["timings"] = Timings();
  // With `include_usage`, the chunk of the usage comes after this one and has the warnings.
  if (last && !output_.include_usage) AddWarnings(&chunk);
  return SseEvent(DumpJson(chunk));
}

void OpenAiWriter::AddWarnings(json* answer) const {
  if (!output_.warnings.empty()) (*answer)["warnings"] = output_.warnings.list();
}

json OpenAiWriter::Counts() const {
  const GenerationUsage& u = generation_.usage();
  return {{"prompt_tokens", u.prompt_tokens},
          {"completion_tokens", u.completion_tokens},
          {"total_tokens", u.prompt_tokens + u.completion_tokens}};
}

json OpenAiWriter::Usage() const {
  const GenerationUsage& u = generation_.usage();
  json usage = Counts();
  usage["prompt_tokens_details"] = {
      {"cached_tokens", u.cached_tokens}, {"audio_tokens", 0}, {"image_tokens", u.image_tokens}};
  usage["completion_tokens_details"] = {{"reasoning_tokens", u.reasoning_tokens},
                                        {"audio_tokens", 0},
                                        {"accepted_prediction_tokens", 0},
                                        {"rejected_prediction_tokens", 0}};
  return usage;
}

json OpenAiWriter::Timings() const {
  GenerationUsage u = generation_.usage();
  if (!generation_.done()) {
    using Seconds = std::chrono::duration<double>;
    const auto now = std::chrono::steady_clock::now();
    const bool started = first_token_ != std::chrono::steady_clock::time_point();
    u.timings.prefill_s = Seconds((started ? first_token_ : now) - begun_).count();
    u.timings.decode_s = started ? Seconds(now - first_token_).count() : 0;
  }
  const auto rate = [](double count, double of) { return of > 0 ? count / of : 0.0; };
  const int prefilled = u.prompt_tokens - u.cached_tokens;
  const int decoded = std::max(0, u.completion_tokens - generation_.num_choices());
  const double prefill_ms = u.timings.prefill_s * 1e3, decode_ms = u.timings.decode_s * 1e3;
  return {{"queue_ms", u.timings.queue_s * 1e3},
          {"encode_ms", u.timings.encode_s * 1e3},
          {"images_encoded", u.timings.images_encoded},
          {"prefill_ms", prefill_ms},
          {"decode_ms", decode_ms},
          {"prefill_per_second", rate(prefilled, u.timings.prefill_s)},
          {"decode_per_second", rate(decoded, u.timings.decode_s)},
          {"preemptions", u.timings.preemptions},
          // llama.cpp's names
          {"cache_n", u.cached_tokens},
          {"prompt_n", prefilled},
          {"prompt_ms", prefill_ms},
          {"prompt_per_token_ms", rate(prefill_ms, prefilled)},
          {"prompt_per_second", rate(prefilled, u.timings.prefill_s)},
          {"predicted_n", u.completion_tokens},
          {"predicted_ms", decode_ms},
          {"predicted_per_token_ms", rate(decode_ms, decoded)},
          {"predicted_per_second", rate(decoded, u.timings.decode_s)},
          {"draft_n", u.timings.draft_tokens},
          {"draft_n_accepted", u.timings.accepted_tokens}};
}

std::string OpenAiWriter::WholeAnswer() {
  json answer = Envelope(names_.object);
  for (int i = 0; i < generation_.num_choices(); ++i) {
    const Collected& collected = choices_[static_cast<size_t>(i)];
    json choice = {{"index", i},
                   {"logprobs", nullptr},
                   {"finish_reason", collected.finish_reason},
                   {"stop_reason", collected.stop_reason}};
    choice.update(WholeChoice(i, collected));
    if (output_.return_token_ids) {
      choice["token_ids"] = Ids(collected.tokens);
      choice["prompt_token_ids"] = generation_.prompt(i);
    }
    answer["choices"].push_back(std::move(choice));
  }
  CompleteAnswer(&answer);
  answer["usage"] = Usage();
  answer["timings"] = Timings();
  AddWarnings(&answer);
  return DumpJson(answer);
}

}  // namespace edgegate
