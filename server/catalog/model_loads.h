// Loads the daemon's models at the start. All load at the same time. Each model answers once it is
// loaded.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "engine/base/mutex.h"
#include "scheduler/engine_loop.h"
#include "server/catalog/model_catalog.h"
#include "server/catalog/model_loader.h"

namespace edgegate {

// Returns the settings of a model in the engine loop.
SchedulerSettings SchedulerSettingsOf(const Settings& settings);

// Owned by one thread.
class ModelLoads {
 public:
  enum class Failure {
    kNone,
    kModel,   // a model could not be loaded
    kMemory,  // the loaded models leave too little of the memory limit for requests
  };

  // Loads each model on its own thread into `loaded`, adds it to the engine, and reports it to the
  // catalog. `loaded` gets one entry per model, in the order of the catalog, and must outlive the
  // engine. All arguments must outlive this object. Sets the limit of `resources->memory` to the
  // memory that the loaded models leave.
  ModelLoads(const Settings& settings, const std::vector<ModelSetting>& models,
             SharedResources* resources, std::vector<LoadedModel>* loaded, EngineLoop* engine,
             ModelCatalog* catalog);
  ~ModelLoads();  // calls Stop()
  ModelLoads(const ModelLoads&) = delete;
  ModelLoads& operator=(const ModelLoads&) = delete;

  // True once all models are loaded, or one has failed. The log names the failure.
  bool done() const { return num_loaded_ == threads_.size() || failure() != Failure::kNone; }
  // Returns the first failure.
  Failure failure() const { return failure_; }

  // Cancels the loads that still run, and waits for them.
  void Stop();

 private:
  void Load(size_t place, const ModelSetting& model);
  void Serve(size_t place, const ModelSetting& model);
  Status PlanMemory(const ModelMemory& more) EG_EXCLUDES(mutex_);
  void Fail(Failure failure);

  const Settings& settings_;
  SharedResources* const resources_;
  std::vector<LoadedModel>* const loaded_;  // each entry is written by its own thread
  EngineLoop* const engine_;
  ModelCatalog* const catalog_;
  std::atomic<size_t> num_loaded_{0};
  std::atomic<Failure> failure_{Failure::kNone};
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  ModelMemory memory_ EG_GUARDED_BY(mutex_);  // of the loaded models together
  std::vector<std::thread> threads_;
};

}  // namespace edgegate
