// Writes answers of /v1/responses.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/answer_writer.h"
#include "server/api/openai/responses/request.h"

namespace edgegate {

// Builds the answer's items from its pieces. Each change is an event of the stream. A whole answer
// goes through the same events, which are not sent.
class ResponseWriter : public AnswerWriter {
 public:
  // `model`, `generation` and `store` outlive the writer.
  ResponseWriter(std::shared_ptr<const ResponseOptions> options, const ServedModel& model,
                 const Generation& generation, ResponseStore* store);

  const char* content_type() const override;
  std::string_view heartbeat() const override;
  std::string Begin() override;
  std::string Delta(const ChoiceEvent& event) override;
  std::string End() override;
  std::string Fail(const HttpError& error) override;

 private:
  using json = nlohmann::ordered_json;
  enum class Open { kNone, kReasoning, kMessage, kCall };

  // Writes one event. `members` are those after the type and the number.
  std::string Event(const char* type, const json& members);
  // Writes an event about the open item.
  std::string ItemEvent(const char* type, const json& members);
  // Begins an item. Ends the open one first.
  std::string OpenItem(Open kind, const std::string& name);
  // Ends the open item, if there is one.
  std::string CloseItem(const char* status);
  std::string AddPiece(const AnswerPart& piece);
  std::string AddText(const std::string& text);
  json& Part();
  json TakeLogprobs();
  json Response(const char* status) const;
  json Usage() const;
  bool Store(const std::string& answer);

  const std::shared_ptr<const ResponseOptions> options_;
  const ServedModel& model_;
  const Generation& generation_;
  ResponseStore* const store_;
  const std::string id_;
  const int64_t created_;  // seconds since 1970
  int64_t sequence_ = 0;
  Open open_ = Open::kNone;
  json output_ = json::array();       // the last item may be open
  std::vector<SampledToken> tokens_;  // of the message, not yet written
  bool cut_ = false;                  // max_output_tokens is reached
};

}  // namespace edgegate
