// Writes answers of /v1/chat/completions.
#pragma once

#include <vector>

#include "server/api/openai/writer.h"

namespace edgegate {

class ChatWriter : public OpenAiWriter {
 public:
  // `model` and `generation` outlive the writer.
  ChatWriter(const OutputOptions& output, const ServedModel& model, const Generation& generation)
      : OpenAiWriter(output, model, generation,
                     {"chatcmpl-", "chat.completion", "chat.completion.chunk", true}),
        calls_(static_cast<size_t>(generation.num_choices())) {}

 protected:
  std::optional<json> FirstChoice(int choice) override;
  std::vector<json> DeltaChoices(const ChoiceEvent& event) override;
  json WholeChoice(int choice, const Collected& collected) override;
  void CompleteAnswer(json* answer) override;

 private:
  json Logprobs(const std::vector<SampledToken>& tokens) const;
  // Returns the delta of a piece of a call.
  json CallDelta(const AnswerPart& part, int choice);
  json WholeMessage(const Collected& collected) const;

  std::vector<int> calls_;  // number of calls that have begun, for each choice
};

}  // namespace edgegate
