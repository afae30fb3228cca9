#include "server/api/ollama/writer.h"

#include <fmt/chrono.h>

#include <chrono>
#include <utility>

#include "engine/base/random_hex.h"
#include "server/api/json/dump.h"
#include "server/api/logprobs.h"
#include "server/api/ollama/errors.h"
#include "server/http/framing.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr char kNdjsonType[] = "application/x-ndjson";

std::string Now() {
  return OllamaTime(std::chrono::duration_cast<std::chrono::seconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count());
}

int64_t Nanoseconds(double seconds) { return static_cast<int64_t>(seconds * 1e9); }

}  // namespace

std::string OllamaTime(int64_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::string OllamaLoadAnswer(const OllamaOptions& options, const std::string& model,
                             const char* reason) {
  json answer = {{"model", model}, {"created_at", Now()}};
  if (options.chat) {
    answer["message"] = {{"role", "assistant"}, {"content", ""}};
  } else {
    answer["response"] = "";
  }
  answer.update({{"done", true}, {"done_reason", reason}});
  return NdjsonLine(DumpJson(answer));
}

OllamaWriter::OllamaWriter(OllamaOptions options, const ServedModel& model,
                           const Generation& generation)
    : options_(std::move(options)), model_(model), generation_(generation) {}

const char* OllamaWriter::content_type() const { return options_.stream ? kNdjsonType : kJsonType; }

std::string OllamaWriter::Delta(const ChoiceEvent& event) {
  for (const AnswerPart& part : event.parts) Add(part);
  if (event.end == ChoiceEnd::kLength) reason_ = "length";
  if (options_.logprobs) {
    json entries = TokenLogprobs(event.tokens, model_.text->vocabulary(), false);
    for (json& entry : entries) piece_.logprobs.push_back(std::move(entry));
  }
  const bool empty = piece_.content.empty() && piece_.thinking.empty() && piece_.calls.empty();
  if (!options_.stream || empty) return {};
  json object = TakeObject();
  object["done"] = false;
  return NdjsonLine(DumpJson(object));
}

std::string OllamaWriter::End() {
  json object = TakeObject();
  AddEnd(&object);
  return options_.stream ? NdjsonLine(DumpJson(object)) : DumpJson(object);
}

std::string OllamaWriter::Fail(const HttpError& error) {
  return NdjsonLine(OllamaErrorBody(error));
}

void OllamaWriter::Add(const AnswerPart& part) {
  switch (part.kind) {
    case AnswerPart::Kind::kContent:
      piece_.content += part.text;
      break;
    case AnswerPart::Kind::kReasoning:
      piece_.thinking += part.text;
      break;
    case AnswerPart::Kind::kCallBegin:
      name_ = part.text;
      arguments_.clear();
      break;
    case AnswerPart::Kind::kArguments:
      arguments_ += part.text;
      break;
    case AnswerPart::Kind::kCallEnd: {
      json arguments = json::parse(arguments_, nullptr, false);
      if (!arguments.is_object()) arguments = json::object();
      piece_.calls.push_back(
          {{"id", "call_" + RandomHex(3)},
           {"function", {{"name", name_}, {"arguments", std::move(arguments)}}}});
      break;
    }
  }
}

json OllamaWriter::TakeObject() {
  Piece piece = std::exchange(piece_, {});
  json object = {{"model", model_.name}, {"created_at", Now()}};
  json text = json::object();
  text[options_.chat ? "content" : "response"] = std::move(piece.content);
  if (!piece.thinking.empty()) text["thinking"] = std::move(piece.thinking);
  if (!piece.calls.empty()) text["tool_calls"] = std::move(piece.calls);
  if (options_.chat) {
    json message = {{"role", "assistant"}};
    message.update(text);
    object["message"] = std::move(message);
  } else {
    object.update(text);
  }
  if (options_.logprobs) object["logprobs"] = std::move(piece.logprobs);
  return object;
}

void OllamaWriter::AddEnd(json* object) const {
  const GenerationUsage& usage = generation_.usage();
  const RequestTimings& timings = usage.timings;
  const double total = timings.queue_s + timings.encode_s + timings.prefill_s + timings.decode_s;
  object->update({{"done", true},
                  {"done_reason", reason_},
                  {"total_duration", Nanoseconds(total)},
                  {"load_duration", 0},
                  {"prompt_eval_count", usage.prompt_tokens},
                  {"prompt_eval_duration", Nanoseconds(timings.prefill_s)},
                  {"eval_count", usage.completion_tokens},
                  {"eval_duration", Nanoseconds(timings.decode_s)}});
  if (!options_.warnings.empty()) (*object)["warnings"] = options_.warnings.list();
}

}  // namespace edgegate
