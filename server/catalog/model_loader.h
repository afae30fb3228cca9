// Loads a model: finds its bundle or quantizes it, maps the bundle, and makes the tokenizer, the
// template and the runner.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "config/settings.h"
#include "engine/base/mutex.h"
#include "engine/family/bundle.h"
#include "engine/family/decoder/decoder_runner.h"
#include "engine/family/quantize.h"
#include "engine/model/text_encoder.h"
#include "server/call/served_model.h"
#include "server/catalog/compute_threads.h"
#include "server/catalog/memory_plan.h"

namespace edgegate {

struct LoadedModel {
  std::unique_ptr<Bundle> bundle;         // outlives the runner
  std::unique_ptr<DecoderRunner> runner;  // null: the model computes embeddings
  std::unique_ptr<TextEncoder> encoder;   // null: the model generates text
  std::unique_ptr<Bundle> draft_bundle;   // outlives the draft
  std::unique_ptr<DecoderRunner> draft;   // the draft model; null: none is configured
  ServedModel served;
  std::vector<bool> valid_tokens;
  ModelMemory memory;   // includes the draft model
  std::string kernels;  // that compute, for the log
  std::jthread mover;   // moves the bundles to huge pages while the model is served
};

// Resources that all models and their requests share. They outlive the models.
struct SharedResources {
  explicit SharedResources(const Settings& settings, int64_t request_memory)
      : pool(MakeThreadPool(settings)),
        memory(request_memory),
        jobs(settings.workers, settings.max_waiting) {}

  const std::unique_ptr<ThreadPool> pool;
  MemoryBudget memory;
  JobSlots jobs;
  Mutex quantizing;  // held while a model is quantized, which takes memory and all processors
};

// Loads a model. `stop` is called often; true ends the work with kCancelled. Several threads may
// load models at once. The runners compute with the pool of `resources`.
Result<LoadedModel> LoadModel(const ModelSetting& model, const Settings& settings,
                              const std::function<bool()>& stop, SharedResources* resources);

// Opens the bundle of a model. If there is none, quantizes the model first, on separate threads
// with a low priority.
Result<std::unique_ptr<Bundle>> OpenBundle(const ModelSetting& model, const Settings& settings,
                                           const std::function<bool()>& stop,
                                           SharedResources* resources);

// Returns the name of the model for clients: the name in the settings, or else the name of the
// file.
std::string NameOf(const ModelSetting& model);

// Returns a folder of the daemon. The environment variables `systemd` and `xdg` name it; otherwise
// it is `below_home` in the user's home, or `without_home` if there is no home.
std::string OwnFolder(const char* systemd, const char* xdg, const char* below_home,
                      const char* without_home);

// Returns the folder for quantized models.
std::string CacheDirectory(const Settings& settings);

}  // namespace edgegate
