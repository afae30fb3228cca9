// From a path to a model that can be served: quantize or find the bundle, map it, make tokenizer,
// template and runner.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "config/settings.h"
#include "engine/base/mutex.h"
#include "engine/family/bundle.h"
#include "engine/family/decoder/decoder_runner.h"
#include "engine/family/quantize.h"
#include "server/call/served_model.h"
#include "server/catalog/compute_threads.h"
#include "server/catalog/memory_plan.h"

namespace edgegate {

struct LoadedModel {
  std::unique_ptr<Bundle> bundle;  // outlives the runner
  std::unique_ptr<DecoderRunner> runner;
  std::unique_ptr<Bundle> draft_bundle;  // outlives the draft
  std::unique_ptr<DecoderRunner> draft;  // the draft model; null: none is configured
  ServedModel served;
  std::vector<bool> valid_tokens;
  ModelMemory memory;  // the draft's too
  std::jthread mover;  // puts the bundles on huge pages meanwhile
};

// Resources that all models and their requests share. Outlives the models.
struct SharedResources {
  explicit SharedResources(const Settings& settings, int64_t request_memory)
      : pool(MakeThreadPool(settings)),
        memory(request_memory),
        jobs(settings.workers, settings.max_waiting) {}

  const std::unique_ptr<ThreadPool> pool;
  MemoryBudget memory;
  JobSlots jobs;
  Mutex quantizing;  // held by the load that quantizes: it takes memory, and all processors
};

// `stop`, asked now and then, ends the work with kCancelled. Models may load at once, on several
// threads. The runners compute with the pool of `resources`.
Result<LoadedModel> LoadModel(const ModelSetting& model, const Settings& settings,
                              const std::function<bool()>& stop, SharedResources* resources);

// The bundle of a model, quantized first where there is none: on threads of its own that have a low
// priority.
Result<std::unique_ptr<Bundle>> OpenBundle(const ModelSetting& model, const Settings& settings,
                                           const std::function<bool()>& stop,
                                           SharedResources* resources);

// The name by which clients ask for the model: its own, or else its file's.
std::string NameOf(const ModelSetting& model);

// The daemon's own folder of a kind: what these environment variables of systemd and of XDG say,
// else one below the user's home (`without_home` where there is none).
std::string OwnFolder(const char* systemd, const char* xdg, const char* below_home,
                      const char* without_home);

// The folder for quantized models.
std::string CacheDirectory(const Settings& settings);

}  // namespace edgegate
