// Writes the parts that answers of /v1/chat/completions and /v1/completions share: the envelope,
// usage, streaming.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/answer_writer.h"
#include "server/api/openai/parameters.h"

namespace edgegate {

// Writes server-sent events if the client asks for a stream, else one JSON object.
class OpenAiWriter : public AnswerWriter {
 public:
  const char* content_type() const override;
  std::string_view heartbeat() const override;
  std::string Begin() override;
  std::string Delta(const ChoiceEvent& event) override;
  std::string End() override;
  std::string Fail(const HttpError& error) override;

 protected:
  using json = nlohmann::json;

  struct Names {
    const char* id_prefix;
    const char* object;
    const char* chunk_object;
    bool service_tier;  // answers name it
  };
  // The part of a choice that is generated so far. For whole answers.
  struct Collected {
    std::string text;
    std::vector<AnswerPart> parts;  // thoughts and calls; adjacent pieces are joined
    std::vector<SampledToken> tokens;
    json finish_reason;
    json stop_reason;
  };

  OpenAiWriter(const OutputOptions& output, const ServedModel& model, const Generation& generation,
               const Names& names);

  // Returns a choice's first chunk in a stream, with the members of this endpoint. nullopt: the
  // endpoint sends no such chunk.
  virtual std::optional<json> FirstChoice(int choice) = 0;
  // Return the members of this endpoint: of the later chunks of a choice, which are at least one,
  // and of a whole choice.
  virtual std::vector<json> DeltaChoices(const ChoiceEvent& event) = 0;
  virtual json WholeChoice(int choice, const Collected& collected) = 0;
  // Adds the endpoint's own members.
  virtual void CompleteAnswer(json* /*answer*/) {}

  // Returns the token's text for a list of log-probabilities.
  std::string TokenText(int32_t token) const;

  const OutputOptions output_;
  const ServedModel& model_;
  const Generation& generation_;

 private:
  json Envelope(const char* object) const;
  // Returns a chunk. `last`: it is the last one that has a choice.
  std::string Chunk(json choice, bool last) const;
  json Counts() const;
  json Usage() const;
  // While the engine works, the times are those that have passed here.
  json Timings() const;
  void AddWarnings(json* answer) const;
  std::string WholeAnswer();

  const Names names_;
  const std::string id_;
  const int64_t created_;  // seconds since 1970
  std::vector<Collected> choices_;
  int open_;  // choices that have not ended
  std::chrono::steady_clock::time_point begun_, first_token_;
};

}  // namespace edgegate
