// Writes answers of /v1/completions.
#pragma once

#include <string>
#include <vector>

#include "server/api/openai/writer.h"

namespace edgegate {

class CompletionWriter : public OpenAiWriter {
 public:
  // `echoed`: the prompts if the answer begins with them, else empty. `model` and `generation` must
  // outlive the writer.
  CompletionWriter(const OutputOptions& output, std::vector<TextPrompt> echoed,
                   const ServedModel& model, const Generation& generation);

 protected:
  std::optional<json> FirstChoice(int choice) override;
  std::vector<json> DeltaChoices(const ChoiceEvent& event) override;
  json WholeChoice(int choice, const Collected& collected) override;

 private:
  // State of one choice of a streamed answer.
  struct Streamed {
    int text_offset = 0;       // of the next token
    bool prompt_sent = false;  // the log-probabilities of its prompt
  };

  void AddToken(const SampledToken& token, bool has_logprob, int* offset, json* out) const;
  json Logprobs(int choice, bool with_prompt, const std::vector<SampledToken>& tokens,
                int* offset) const;
  // Returns the echoed prompt of the choice. Empty: nothing is echoed.
  std::string EchoOf(int choice) const;

  const std::vector<TextPrompt> echoed_;
  std::vector<Streamed> streamed_;
};

}  // namespace edgegate
