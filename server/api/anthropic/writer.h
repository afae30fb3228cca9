// Writes answers of Anthropic's /v1/messages.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "server/api/answer_writer.h"
#include "server/api/anthropic/request.h"

namespace edgegate {

// Builds the answer's blocks from its pieces. Each change is an event of the stream. A whole answer
// goes through the same events, which are not sent.
class MessageWriter : public AnswerWriter {
 public:
  // `model` and `generation` outlive the writer.
  MessageWriter(MessageOptions options, const ServedModel& model, const Generation& generation);

  const char* content_type() const override;
  std::string_view heartbeat() const override;
  std::string Begin() override;
  std::string Delta(const ChoiceEvent& event) override;
  std::string End() override;
  std::string Fail(const HttpError& error) override;

 private:
  using json = nlohmann::ordered_json;
  enum class Open { kNone, kThinking, kText, kCall };

  std::string Event(const char* type, const json& members) const;
  // Begins a block. Ends the open one first.
  std::string OpenBlock(Open kind, json block);
  // Ends the open block, if there is one.
  std::string CloseBlock();
  std::string AddPiece(const AnswerPart& piece);
  // Writes more text of the open block.
  std::string AddDelta(const char* type, const char* member, const std::string& text);
  json Message() const;
  json Usage() const;

  const MessageOptions options_;
  const ServedModel& model_;
  const Generation& generation_;
  const std::string id_;
  Open open_ = Open::kNone;
  std::string arguments_;         // of the open call
  json content_ = json::array();  // the last block may be open
  json stop_reason_ = nullptr;
  json stop_sequence_ = nullptr;
};

}  // namespace edgegate
