// A model that answers calls in this process.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scheduler/engine_loop.h"
#include "server/api/answer_call.h"
#include "server/catalog/model_loader.h"
#include "server/cli/run/answer_printer.h"

namespace edgegate {

// A complete or stopped answer.
struct LocalAnswer {
  std::string json;                  // the whole answer of the API
  ChoiceEnd end = ChoiceEnd::kNone;  // kNone: it was stopped
  bool stopped() const { return end == ChoiceEnd::kNone; }
};

// Owned by one thread.
class LocalModel {
 public:
  // Loads the model, and quantizes it first if that is needed. `stop` is called often; true ends
  // the work with kCancelled. kInvalidArgument: the model computes embeddings. `settings` outlives
  // the model.
  static Result<std::unique_ptr<LocalModel>> Load(const ModelSetting& model,
                                                  const Settings& settings,
                                                  const std::function<bool()>& stop);

  const ServedModel& served() const { return model_.served; }
  bool has_chat_template() const { return served().text->has_chat_template(); }

  // Decodes an image and prepares it. kInvalidArgument: the model takes no images, or the bytes are
  // no image.
  Result<PromptMedia> PrepareImage(std::string_view file) const;

  // Answers a call. `images`: those of the call, in its order. `printer` gets the events; may be
  // null. If `stop` returns true, the answer ends.
  std::variant<LocalAnswer, CallError> Answer(const ParsedCall& parsed,
                                              std::vector<PromptMedia> images,
                                              const std::function<bool()>& stop,
                                              AnswerPrinter* printer);

 private:
  explicit LocalModel(const Settings& settings);

  SharedResources resources_;
  LoadedModel model_;  // outlives the engine
  EngineLoop engine_;
};

}  // namespace edgegate
