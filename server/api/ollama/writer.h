// Writes answers of Ollama's /api/chat and /api/generate.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/api/answer_writer.h"
#include "server/api/ollama/request.h"

namespace edgegate {

// Writes a line of JSON for each event if the client asks for a stream, else one JSON object.
class OllamaWriter : public AnswerWriter {
 public:
  // `model` and `generation` outlive the writer.
  OllamaWriter(OllamaOptions options, const ServedModel& model, const Generation& generation);

  const char* content_type() const override;
  std::string Begin() override { return {}; }
  std::string Delta(const ChoiceEvent& event) override;
  std::string End() override;
  std::string Fail(const HttpError& error) override;

 private:
  using json = nlohmann::ordered_json;

  // The content of one object of the answer.
  struct Piece {
    std::string content;
    std::string thinking;
    json calls = json::array();
    json logprobs = json::array();
  };

  void Add(const AnswerPart& part);
  // Writes the piece that is collected so far, and begins a new one.
  json TakeObject();
  void AddEnd(json* object) const;

  const OllamaOptions options_;
  const ServedModel& model_;
  const Generation& generation_;
  Piece piece_;
  std::string name_, arguments_;  // of the call that is being generated
  const char* reason_ = "stop";
};

// Returns the answer to a request that only asks for the model to be loaded or unloaded.
std::string OllamaLoadAnswer(const OllamaOptions& options, const std::string& model,
                             const char* reason);

// Returns the time in Ollama's format, such as 2026-11-27T08:30:00Z. `seconds`: since 1970.
std::string OllamaTime(int64_t seconds);

}  // namespace edgegate
