#include "server/cli/run/local_model.h"

#include <chrono>
#include <utility>

#include "server/call/image_loader.h"
#include "server/catalog/model_loads.h"

namespace edgegate {
namespace {

constexpr int64_t kRequestMemory = int64_t{256} << 20;  // of the only request
constexpr auto kStopCheck = std::chrono::milliseconds(50);

}  // namespace

LocalModel::LocalModel(const Settings& settings) : resources_(settings, kRequestMemory) {}

Result<std::unique_ptr<LocalModel>> LocalModel::Load(const ModelSetting& model,
                                                     const Settings& settings,
                                                     const std::function<bool()>& stop) {
  std::unique_ptr<LocalModel> local(new LocalModel(settings));
  LoadedModel& loaded = local->model_;
  EG_ASSIGN_OR_RETURN(loaded, LoadModel(model, settings, stop, &local->resources_));
  if (loaded.encoder) return InvalidArgument("{} computes embeddings only", model.path);
  loaded.served.engine_index =
      local->engine_.AddModel(std::move(loaded.runner), SchedulerSettingsOf(settings),
                              loaded.valid_tokens, std::move(loaded.draft));
  local->engine_.Start();
  return local;
}

Result<PromptMedia> LocalModel::PrepareImage(std::string_view file) const {
  if (!served().limits.media || !has_chat_template()) {
    return InvalidArgument("the model {} takes text only", served().name);
  }
  return LoadImageFile(file, served(), {});
}

std::variant<LocalAnswer, CallError> LocalModel::Answer(const ParsedCall& parsed,
                                                        std::vector<PromptMedia> images,
                                                        const std::function<bool()>& stop,
                                                        AnswerPrinter* printer) {
  if (auto error = Generation::CheckFirst(parsed.call, served())) return *std::move(error);
  if (auto error = CheckImages(parsed.call.images, served())) return *std::move(error);
  auto started = Generation::Start(parsed.call, served(), std::move(images), &engine_, std::nullopt,
                                   {"edgegate run", stop});
  if (auto* error = std::get_if<CallError>(&started)) return std::move(*error);
  const auto& generation = std::get<std::unique_ptr<Generation>>(started);
  const auto writer = parsed.make_writer(served(), *generation);
  writer->Begin();
  LocalAnswer answer;
  while (!generation->done() && !stop()) {
    const auto event = generation->Next(std::chrono::steady_clock::now() + kStopCheck);
    if (generation->error()) return *generation->error();
    if (!event) continue;
    answer.end = event->end;
    writer->Delta(*event);
    if (printer != nullptr) printer->Print(*event);
  }
  answer.json = writer->End();
  return answer;
}

}  // namespace edgegate
