// A request for embeddings, in a form that is the same for all protocols, and its run on the
// engine: checks the texts, tokenizes them and submits them. Contains neither HTTP nor JSON.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "scheduler/engine_loop.h"
#include "server/call/call.h"
#include "server/call/call_error.h"
#include "server/call/served_model.h"

namespace edgegate {

// A text, or token ids, which are used unchanged; and the path of the field that gives it.
struct EmbeddingInput {
  TextPrompt text;
  std::string field;
};

struct EmbeddingCall {
  Caller caller;
  std::string model;
  std::vector<EmbeddingInput> inputs;  // at least one
  std::string input_field;             // the field that gives all of them, for other errors
  std::optional<int> dimensions;       // the first components, scaled to length 1 again
  // Longer texts are cut to this number of tokens. 0: the model's maximum. Absent: they are
  // refused.
  std::optional<int> truncate_tokens;
};

struct EmbeddingResult {
  std::vector<float> embeddings;  // [inputs][width]
  int width = 0;
  int64_t tokens = 0;  // of all inputs

  const float* Row(size_t index) const {
    return embeddings.data() + index * static_cast<size_t>(width);
  }
};

// Owned by one thread. The destructor cancels the request.
class EmbeddingRun {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Maximum number of bytes of a text.
  static constexpr size_t kMaxBytes = size_t{1} << 20;

  // Checks the call, tokenizes its texts and submits them. `engine` must outlive the result.
  static std::variant<std::unique_ptr<EmbeddingRun>, CallError> Start(
      const EmbeddingCall& call, const ServedModel& model, EngineLoop* engine,
      std::optional<TimePoint> deadline, const JobContext& context);

  // Waits for the end. True: it has come.
  bool Wait(TimePoint until) { return handle_->Wait(until); }
  // Returns the embeddings. Call it once, after Wait() has returned true.
  std::variant<EmbeddingResult, CallError> Take();

 private:
  EmbeddingRun() = default;

  std::unique_ptr<EncodeHandle> handle_;
  int64_t tokens_ = 0;
  int model_width_ = 0;
  int width_ = 0;  // of the result
};

}  // namespace edgegate
