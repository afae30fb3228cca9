#include "server/api/anthropic/writer.h"

#include <utility>

#include "engine/base/random_hex.h"
#include "server/api/anthropic/errors.h"
#include "server/api/json/dump.h"
#include "server/http/framing.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

const char* StopReason(const ChoiceEvent& event) {
  switch (event.end) {
    case ChoiceEnd::kCalls:
      return "tool_use";
    case ChoiceEnd::kLength:
      return "max_tokens";
    default:
      return event.stop_string ? "stop_sequence" : "end_turn";
  }
}

}  // namespace

MessageWriter::MessageWriter(MessageOptions options, const ServedModel& model,
                             const Generation& generation)
    : options_(std::move(options)),
      model_(model),
      generation_(generation),
      id_("msg_" + RandomHex(3)) {}

const char* MessageWriter::content_type() const { return options_.stream ? kSseType : kJsonType; }

std::string_view MessageWriter::heartbeat() const {
  return options_.stream ? std::string_view("event: ping\ndata: {\"type\": \"ping\"}\n\n")
                         : std::string_view();
}

std::string MessageWriter::Begin() {
  json message = Message();
  message["usage"] = {{"input_tokens", generation_.usage().prompt_tokens}, {"output_tokens", 0}};
  return Event("message_start", {{"message", std::move(message)}});
}

std::string MessageWriter::Delta(const ChoiceEvent& event) {
  std::string events;
  for (const AnswerPart& piece : event.parts) events += AddPiece(piece);
  if (event.end == ChoiceEnd::kNone) return events;
  stop_reason_ = StopReason(event);
  if (event.stop_string) stop_sequence_ = *event.stop_string;
  return events + CloseBlock();
}

std::string MessageWriter::End() {
  if (!options_.stream) {
    json message = Message();
    message["usage"] = Usage();
    return DumpJson(message);
  }
  json delta = {{"delta", {{"stop_reason", stop_reason_}, {"stop_sequence", stop_sequence_}}},
                {"usage", Usage()}};
  return Event("message_delta", delta) + Event("message_stop", json::object());
}

std::string MessageWriter::Fail(const HttpError& error) {
  return SseEvent(AnthropicErrorBody(error), "error");
}

std::string MessageWriter::Event(const char* type, const json& members) const {
  if (!options_.stream) return {};
  json event = {{"type", type}};
  event.update(members);
  return SseEvent(DumpJson(event), type);
}

std::string MessageWriter::OpenBlock(Open kind, json block) {
  std::string events = CloseBlock();
  open_ = kind;
  arguments_.clear();
  content_.push_back(std::move(block));
  return events + Event("content_block_start",
                        {{"index", content_.size() - 1}, {"content_block", content_.back()}});
}

std::string MessageWriter::CloseBlock() {
  if (open_ == Open::kNone) return {};
  // A call that is cut by max_tokens has no complete arguments.
  if (open_ == Open::kCall) {
    json input = json::parse(arguments_, nullptr, false);
    if (input.is_object()) content_.back()["input"] = std::move(input);
  }
  open_ = Open::kNone;
  return Event("content_block_stop", {{"index", content_.size() - 1}});
}

std::string MessageWriter::AddPiece(const AnswerPart& piece) {
  std::string events;
  switch (piece.kind) {
    case AnswerPart::Kind::kReasoning:
      if (open_ != Open::kThinking) {
        events =
            OpenBlock(Open::kThinking, {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}});
      }
      if (!options_.show_thoughts) return events;
      return events + AddDelta("thinking_delta", "thinking", piece.text);
    case AnswerPart::Kind::kContent:
      if (open_ != Open::kText) events = OpenBlock(Open::kText, {{"type", "text"}, {"text", ""}});
      return events + AddDelta("text_delta", "text", piece.text);
    case AnswerPart::Kind::kCallBegin:
      return OpenBlock(Open::kCall, {{"type", "tool_use"},
                                     {"id", "toolu_" + RandomHex(3)},
                                     {"name", piece.text},
                                     {"input", json::object()}});
    case AnswerPart::Kind::kArguments:
      arguments_ += piece.text;
      return AddDelta("input_json_delta", "partial_json", piece.text);
    case AnswerPart::Kind::kCallEnd:
      return CloseBlock();
  }
  return events;
}

std::string MessageWriter::AddDelta(const char* type, const char* member, const std::string& text) {
  if (open_ != Open::kCall) content_.back()[member].get_ref<std::string&>() += text;
  return Event("content_block_delta",
               {{"index", content_.size() - 1}, {"delta", {{"type", type}, {member, text}}}});
}

json MessageWriter::Message() const {
  json message = {{"id", id_},
                  {"type", "message"},
                  {"role", "assistant"},
                  {"model", model_.name},
                  {"content", content_},
                  {"stop_reason", stop_reason_},
                  {"stop_sequence", stop_sequence_}};
  if (!options_.warnings.empty()) message["warnings"] = options_.warnings.list();
  return message;
}

json MessageWriter::Usage() const {
  const GenerationUsage& usage = generation_.usage();
  return {{"input_tokens", usage.prompt_tokens - usage.cached_tokens},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage.cached_tokens},
          {"output_tokens", usage.completion_tokens},
          {"output_tokens_details", {{"thinking_tokens", usage.reasoning_tokens}}}};
}

}  // namespace edgegate
