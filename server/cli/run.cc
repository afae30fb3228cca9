// `edgegate run` and `edgegate quantize`.

#include <malloc.h>

#include <fstream>
#include <iostream>
#include <limits>
#include <sstream>

#include "engine/family/model_source.h"
#include "engine/ops/isa/isa_cap.h"
#include "scheduler/engine_loop.h"
#include "server/call/generation.h"
#include "server/call/image_loader.h"
#include "server/catalog/default_models.h"
#include "server/catalog/model_loader.h"
#include "server/catalog/progress.h"
#include "server/cli/commands.h"
#include "server/cli/stop_signals.h"

namespace edgegate {
namespace {

constexpr int64_t kRunMemory = int64_t{256} << 20;  // for the only request
constexpr int kTextTokens =
    16;  // default of --max-tokens for a model without a chat template, as in /v1/completions

int Fail(const Status& status, int code) {
  std::fprintf(stderr, "edgegate: %s\n", status.message().c_str());
  return status.code() == StatusCode::kCancelled ? kExitInterrupted : code;
}

Call MakeCall(const RunArguments& a, const std::string& prompt, bool chat) {
  Call call;
  call.caller = {"", "edgegate run"};
  if (chat) {
    Conversation conversation;
    const auto text = [](std::string t) { return ChatPart{ChatPart::Kind::kText, std::move(t)}; };
    if (!a.system.empty()) conversation.messages.push_back({"system", {text(a.system)}});
    std::vector<ChatPart> parts(a.images.size(), ChatPart{ChatPart::Kind::kImage, ""});
    parts.push_back(text(prompt));
    conversation.messages.push_back({"user", std::move(parts)});
    call.input = std::move(conversation);
  } else {
    call.input = std::vector<TextPrompt>{prompt};
    call.default_max_tokens = kTextTokens;
  }
  call.input_field = "prompt";
  if (a.max_tokens > 0) call.max_tokens = a.max_tokens;
  if (a.temperature >= 0) call.sampling.temperature = a.temperature;
  return call;
}

// Reads a whole file.
Result<std::string> ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  if (!file || !(bytes << file.rdbuf())) return NotFound("cannot read {}", path);
  return bytes.str();
}

Result<std::vector<PromptMedia>> ReadImages(const std::vector<std::string>& paths,
                                            const ServedModel& model) {
  std::vector<PromptMedia> images;
  if (!paths.empty() && (!model.limits.media || !model.text->has_chat_template())) {
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
  if (model->encoder) {
    return Fail(InvalidArgument("{} computes embeddings only", setting.path), kExitUsage);
  }
  EngineLoop engine;
  model->served.engine_index =
      engine.AddModel(std::move(model->runner), {}, model->valid_tokens, std::move(model->draft));
  engine.Start();
  const bool chat = model->served.text->has_chat_template();
  auto images = ReadImages(arguments.images, model->served);
  if (!images.ok()) return Fail(images.status(), kExitFailure);
  Call call = MakeCall(arguments, prompt, chat);
  if (const auto error = Generation::CheckFirst(call, model->served)) {
    return Fail(error->status, kExitFailure);
  }
  auto started =
      Generation::Start(call, model->served, *std::move(images), &engine, std::nullopt, {});
  if (const auto* error = std::get_if<CallError>(&started)) {
    return Fail(error->status, kExitFailure);
  }
  const auto& generation = std::get<std::unique_ptr<Generation>>(started);
  while (!generation->done() && !signals.pending()) {
    const auto event =
        generation->Next(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
    if (generation->error()) return Fail(generation->error()->status, kExitFailure);
    if (event) std::cout << event->text << std::flush;
  }
  std::cout << "\n";
  return signals.pending() ? kExitInterrupted : kExitOk;
}

int QuantizeModel(const QuantizeArguments& arguments) {
  // All layers need the same amount of memory, one after the other. This makes the C library keep
  // it. The kernel clears each page that it hands out, on one thread, which takes time.
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
