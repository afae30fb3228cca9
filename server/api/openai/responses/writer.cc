#include "server/api/openai/responses/writer.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "engine/base/random_hex.h"
#include "server/api/json/dump.h"
#include "server/api/logprobs.h"
#include "server/http/framing.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

json TextPart() {
  return {{"type", "output_text"},
          {"text", ""},
          {"annotations", json::array()},
          {"logprobs", json::array()}};
}

json NewItem(const char* type) {
  const char* prefix = std::string_view(type) == "message"     ? "msg_"
                       : std::string_view(type) == "reasoning" ? "rs_"
                                                               : "fc_";
  return {{"id", prefix + RandomHex(3)}, {"type", type}, {"status", "in_progress"}};
}

}  // namespace

ResponseWriter::ResponseWriter(std::shared_ptr<const ResponseOptions> options,
                               const ServedModel& model, const Generation& generation,
                               ResponseStore* store)
    : options_(std::move(options)),
      model_(model),
      generation_(generation),
      store_(store),
      id_("resp_" + RandomHex(3)),
      created_(Now()) {}

const char* ResponseWriter::content_type() const { return options_->stream ? kSseType : kJsonType; }

std::string_view ResponseWriter::heartbeat() const {
  return options_->stream ? kSseComment : std::string_view();
}

std::string ResponseWriter::Begin() {
  const json response = Response("in_progress");
  std::string events = Event("response.created", {{"response", response}});
  return events += Event("response.in_progress", {{"response", response}});
}

std::string ResponseWriter::Delta(const ChoiceEvent& event) {
  std::string events;
  // Tokens of thoughts and calls have no place in the answer.
  const bool of_message = event.parts.empty()
                              ? open_ == Open::kMessage || open_ == Open::kNone
                              : event.parts.back().kind == AnswerPart::Kind::kContent;
  if (options_->logprobs && of_message) {
    tokens_.insert(tokens_.end(), event.tokens.begin(), event.tokens.end());
  }
  for (const AnswerPart& piece : event.parts) events += AddPiece(piece);
  if (event.end == ChoiceEnd::kNone) return events;
  cut_ = event.end == ChoiceEnd::kLength;
  if (output_.empty()) events += OpenItem(Open::kMessage, "");
  return events + CloseItem(cut_ ? "incomplete" : "completed");
}

std::string ResponseWriter::End() {
  const char* status = cut_ ? "incomplete" : "completed";
  json response = Response(status);
  response["usage"] = Usage();
  if (options_->store && !Store(DumpJson(response))) {
    response["store"] = false;
    response["warnings"].push_back("'store': the response is not stored, because it is too long.");
  }
  if (!options_->stream) return DumpJson(response);
  return Event(cut_ ? "response.incomplete" : "response.completed",
               {{"response", std::move(response)}});
}

std::string ResponseWriter::Fail(const HttpError& error) {
  json response = Response("failed");
  response["error"] = {{"code", "server_error"}, {"message", error.message}};
  return Event("response.failed", {{"response", response}});
}

std::string ResponseWriter::Event(const char* type, const json& members) {
  if (!options_->stream) return {};
  json event = {{"type", type}, {"sequence_number", sequence_++}};
  event.update(members);
  return SseEvent(DumpJson(event), type);
}

std::string ResponseWriter::ItemEvent(const char* type, const json& members) {
  json event = {{"item_id", output_.back()["id"]}, {"output_index", output_.size() - 1}};
  if (open_ != Open::kCall) event["content_index"] = 0;
  event.update(members);
  return Event(type, event);
}

json& ResponseWriter::Part() { return output_.back()["content"][0]; }

std::string ResponseWriter::OpenItem(Open kind, const std::string& name) {
  std::string events = CloseItem("completed");
  open_ = kind;
  json item = NewItem(kind == Open::kMessage     ? "message"
                      : kind == Open::kReasoning ? "reasoning"
                                                 : "function_call");
  if (kind == Open::kCall) {
    item.update({{"call_id", "call_" + RandomHex(3)}, {"name", name}, {"arguments", ""}});
  } else {
    item["content"] = json::array();
  }
  if (kind == Open::kMessage) item["role"] = "assistant";
  if (kind == Open::kReasoning) item["summary"] = json::array();
  output_.push_back(std::move(item));
  events += Event("response.output_item.added",
                  {{"output_index", output_.size() - 1}, {"item", output_.back()}});
  if (kind == Open::kCall) return events;
  output_.back()["content"].push_back(
      kind == Open::kMessage ? TextPart() : json{{"type", "reasoning_text"}, {"text", ""}});
  return events + ItemEvent("response.content_part.added", {{"part", Part()}});
}

std::string ResponseWriter::CloseItem(const char* status) {
  if (open_ == Open::kNone) return {};
  json& item = output_.back();
  std::string events;
  if (open_ == Open::kCall) {
    events = ItemEvent("response.function_call_arguments.done",
                       {{"name", item["name"]}, {"arguments", item["arguments"]}});
  } else if (open_ == Open::kMessage) {
    for (json& entry : TakeLogprobs()) Part()["logprobs"].push_back(std::move(entry));
    events = ItemEvent("response.output_text.done",
                       {{"text", Part()["text"]}, {"logprobs", Part()["logprobs"]}});
  } else {
    events = ItemEvent("response.reasoning_text.done", {{"text", Part()["text"]}});
  }
  if (open_ != Open::kCall) events += ItemEvent("response.content_part.done", {{"part", Part()}});
  item["status"] = status;
  open_ = Open::kNone;
  return events +
         Event("response.output_item.done", {{"output_index", output_.size() - 1}, {"item", item}});
}

std::string ResponseWriter::AddPiece(const AnswerPart& piece) {
  std::string events;
  switch (piece.kind) {
    case AnswerPart::Kind::kReasoning:
      if (open_ != Open::kReasoning) events = OpenItem(Open::kReasoning, "");
      Part()["text"].get_ref<std::string&>() += piece.text;
      return events + ItemEvent("response.reasoning_text.delta", {{"delta", piece.text}});
    case AnswerPart::Kind::kContent:
      if (open_ != Open::kMessage) events = OpenItem(Open::kMessage, "");
      return events + AddText(piece.text);
    case AnswerPart::Kind::kCallBegin:
      return OpenItem(Open::kCall, piece.text);
    case AnswerPart::Kind::kArguments:
      output_.back()["arguments"].get_ref<std::string&>() += piece.text;
      return ItemEvent("response.function_call_arguments.delta", {{"delta", piece.text}});
    case AnswerPart::Kind::kCallEnd:
      return CloseItem("completed");
  }
  return events;
}

std::string ResponseWriter::AddText(const std::string& text) {
  json logprobs = TakeLogprobs();
  for (const json& entry : logprobs) Part()["logprobs"].push_back(entry);
  Part()["text"].get_ref<std::string&>() += text;
  return ItemEvent("response.output_text.delta",
                   {{"delta", text}, {"logprobs", std::move(logprobs)}});
}

json ResponseWriter::TakeLogprobs() {
  if (tokens_.empty()) return json::array();
  json list = TokenLogprobs(tokens_, model_.text->vocabulary(), false);
  tokens_.clear();
  return list;
}

json ResponseWriter::Response(const char* status) const {
  json response = {{"id", id_},
                   {"object", "response"},
                   {"created_at", created_},
                   {"status", status},
                   {"background", false},
                   {"error", nullptr},
                   {"incomplete_details", nullptr}};
  if (cut_) response["incomplete_details"] = {{"reason", "max_output_tokens"}};
  response["model"] = model_.name;
  response["output"] = output_;
  response.update(options_->echo);
  if (response["temperature"].is_null()) {
    response["temperature"] = model_.defaults.temperature.value_or(1.0f);
  }
  if (response["top_p"].is_null()) response["top_p"] = model_.defaults.top_p.value_or(1.0f);
  response["service_tier"] = "default";
  response["store"] = options_->store;
  response["usage"] = nullptr;
  response["warnings"] = options_->warnings.list();
  if (const size_t turns = generation_.dropped_turns(); turns > 0) {
    response["warnings"].push_back(
        fmt::format("'truncation': the oldest turns were left out: {}.", turns));
  }
  return response;
}

json ResponseWriter::Usage() const {
  const GenerationUsage& usage = generation_.usage();
  return {{"input_tokens", usage.prompt_tokens},
          {"input_tokens_details",
           {{"cached_tokens", usage.cached_tokens}, {"image_tokens", usage.image_tokens}}},
          {"output_tokens", usage.completion_tokens},
          {"output_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

bool ResponseWriter::Store(const std::string& answer) {
  StoredResponse stored{id_, answer, options_->input, {}};
  for (const json& item : output_) {
    stored.output.emplace_back(item["id"].get<std::string>(), DumpJson(item));
  }
  return store_->Put(options_->tenant, std::move(stored));
}

}  // namespace edgegate
