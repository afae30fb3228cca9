// `edgegate run` and `edgegate quantize`.

#include <malloc.h>

#include <fstream>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/ops/isa/isa_cap.h"
#include "engine/weights/model_source.h"
#include "scheduler/engine_loop.h"
#include "server/catalog/default_models.h"
#include "server/catalog/model_loader.h"
#include "server/catalog/progress.h"
#include "server/cli/commands.h"
#include "server/cli/stop_signals.h"
#include "server/generation.h"
#include "server/media/image_loader.h"

namespace edgegate {
namespace {

constexpr int64_t kRunMemory = int64_t{256} << 20;  // for the one request that there is

int Fail(const Status& status, int code) {
  std::fprintf(stderr, "edgegate: %s\n", status.message().c_str());
  return status.code() == StatusCode::kCancelled ? kExitInterrupted : code;
}

ApiRequest MakeRequest(const RunArguments& a, const std::string& prompt, bool chat) {
  ApiRequest request;
  request.chat = chat;
  if (chat) {
    nlohmann::json messages = nlohmann::json::array();
    if (!a.system.empty()) messages.push_back({{"role", "system"}, {"content", a.system}});
    nlohmann::json content = nlohmann::json::array();
    for (size_t i = 0; i < a.images.size(); ++i) content.push_back({{"type", "image"}});
    content.push_back({{"type", "text"}, {"text", prompt}});
    messages.push_back(
        {{"role", "user"}, {"content", a.images.empty() ? nlohmann::json(prompt) : content}});
    request.messages_json = messages.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  } else {
    request.prompts = {prompt};
  }
  if (a.max_tokens > 0) request.max_tokens = a.max_tokens;
  if (a.temperature >= 0) request.temperature = a.temperature;
  return request;
}

// The whole of a file.
Result<std::string> ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  if (!file || !(bytes << file.rdbuf())) return NotFound("cannot read {}", path);
  return bytes.str();
}

Result<std::vector<PromptImage>> ReadImages(const std::vector<std::string>& paths,
                                            const ServedModel& model) {
  std::vector<PromptImage> images;
  if (!paths.empty() && (model.limits.image_rows == 0 || !model.text->has_chat_template())) {
    return InvalidArgument("the model {} takes text only", model.name);
  }
  for (const std::string& path : paths) {
    EG_ASSIGN_OR_RETURN(const std::string bytes, ReadBytes(path));
    auto image = LoadImageFile(bytes, model, {});
    if (!image.ok()) return image.status().WithContext(path);
    images.push_back(*std::move(image));
  }
  return images;
}

}  // namespace

int RunPrompt(const Settings& settings, const RunArguments& arguments) {
  if (Status status = SetIsaCap(settings.isa); !status.ok()) return Fail(status, kExitUsage);
  std::string prompt = arguments.prompt;
  if (prompt == "-") {
    std::stringstream text;
    text << std::cin.rdbuf();
    prompt = text.str();
  }
  const StopSignals signals;
  ModelSetting setting = FindModel(arguments.model, settings);
  if (!arguments.draft.empty()) setting.draft = FindModel(arguments.draft, settings).path;
  SharedResources resources(settings, kRunMemory);
  auto model = LoadModel(
      setting, settings, [&] { return signals.pending(); }, &resources);
  if (!model.ok()) return Fail(model.status(), kExitModel);
  EngineLoop engine;
  model->served.engine_index =
      engine.AddModel(std::move(model->runner), {}, model->valid_tokens, std::move(model->draft));
  engine.Start();
  std::unique_ptr<Generation> generation;
  const bool chat = model->served.text->has_chat_template();
  auto images = ReadImages(arguments.images, model->served);
  if (!images.ok()) return Fail(images.status(), kExitFailure);
  const ApiRequest request = MakeRequest(arguments, prompt, chat);
  auto error = Generation::CheckFirst(request, model->served);
  if (!error) {
    error = Generation::Start(request, model->served, *std::move(images), &engine, std::nullopt, {},
                              &generation);
  }
  if (error) return Fail(InvalidArgument("{}", error->message), kExitFailure);
  while (!generation->done() && !signals.pending()) {
    const auto event =
        generation->Next(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
    if (generation->error())
      return Fail(Internal("{}", generation->error()->message), kExitFailure);
    if (event) std::cout << event->text << std::flush;
  }
  std::cout << "\n";
  return signals.pending() ? kExitInterrupted : kExitOk;
}

int QuantizeModel(const QuantizeArguments& arguments) {
  // The layers need the same memory one after the other. The C library keeps it: pages that go back
  // to the system are cleared before each use, by one thread.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  QuantizeOptions options;
  const auto format = ParseWeightFormat(arguments.format);
  if (!format.ok()) return Fail(format.status(), kExitUsage);
  options.format = *format;
  const StopSignals signals;
  options.progress = ProgressPrinter("quantizing", [&] { return signals.pending(); });
  if (!arguments.calibration.empty()) {
    auto text = ReadBytes(arguments.calibration);
    if (!text.ok()) return Fail(text.status(), kExitFailure);
    options.calibration_text = *std::move(text);
  }
  const ModelSetting model = ParseModel(arguments.source);
  auto source = ModelSource::Open(model.path, model.mmproj);
  if (!source.ok()) return Fail(source.status(), kExitModel);
  const auto pool = MakeThreadPool({});
  const ThreadPool::Use use(pool.get());
  const Status status = Quantize(**source, arguments.destination, options);
  if (!status.ok()) return Fail(status, kExitFailure);
  std::fprintf(stderr, "wrote %s\n", arguments.destination.c_str());
  return kExitOk;
}

}  // namespace edgegate
