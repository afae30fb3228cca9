#include "server/catalog/model_loads.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

// Returns a check that fails if a file of the model's mapped weights has changed. The log names the
// file. The error for clients does not, because it would disclose the path.
std::function<Status()> CheckOf(const LoadedModel& model) {
  return [bundle = model.bundle.get(), draft = model.draft_bundle.get(), name = model.served.name] {
    Status status = bundle->CheckIntact();
    if (status.ok() && draft != nullptr) status = draft->CheckIntact();
    if (status.ok()) return status;
    spdlog::error("{}", status.message());
    return DataLoss("the file of the model {} was changed while it was served", name);
  };
}

}  // namespace

SchedulerSettings SchedulerSettingsOf(const Settings& s) {
  return {s.max_num_seqs,   s.max_num_batched_tokens,
          s.max_waiting,    int64_t{s.image_cache_mb} << 20,
          s.prefix_caching, std::chrono::milliseconds(s.target_itl_ms),
          s.speculation,    s.queue_policy};
}

ModelLoads::ModelLoads(const Settings& settings, const std::vector<ModelSetting>& models,
                       SharedResources* resources, std::vector<LoadedModel>* loaded,
                       EngineLoop* engine, ModelCatalog* catalog)
    : settings_(settings),
      resources_(resources),
      loaded_(loaded),
      engine_(engine),
      catalog_(catalog) {
  loaded->resize(models.size());
  // done() compares with the size of the vector. So the vector gets its full size before the first
  // thread starts.
  threads_.resize(models.size());
  for (size_t i = 0; i < models.size(); ++i) {
    threads_[i] = std::thread([this, i, model = models[i]] { Load(i, model); });
  }
}

ModelLoads::~ModelLoads() { Stop(); }

void ModelLoads::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

// Records a failure. Only the first one is kept.
void ModelLoads::Fail(Failure failure) {
  Failure none = Failure::kNone;
  failure_.compare_exchange_strong(none, failure);
}

void ModelLoads::Load(size_t place, const ModelSetting& model) {
  const auto start = Clock::now();
  auto loaded = LoadModel(
      model, settings_, [this] { return stopping_.load(); }, resources_);
  if (stopping_) return;
  if (!loaded.ok()) {
    spdlog::error("cannot load {}: {}", model.path, loaded.status().message());
    return Fail(Failure::kModel);
  }
  if (Status status = PlanMemory(loaded->memory); !status.ok()) {
    spdlog::error("{}", status.message());
    return Fail(Failure::kMemory);
  }
  const RunnerLimits& limits = loaded->served.limits;
  spdlog::info("loaded {} in {:.2f} s: context {}, {}, {}", loaded->served.name,
               std::chrono::duration<double>(Clock::now() - start).count(), limits.max_model_len,
               loaded->encoder ? fmt::format("embeddings of {}", loaded->served.embedding_width)
                               : fmt::format("{} KV blocks", limits.num_blocks),
               loaded->kernels);
  (*loaded_)[place] = *std::move(loaded);
  Serve(place, model);
}

void ModelLoads::Serve(size_t place, const ModelSetting& model) {
  LoadedModel& loaded = (*loaded_)[place];
  if (loaded.draft) {
    spdlog::info("{} drafts for {}: context {}, {} KV blocks", model.draft, loaded.served.name,
                 loaded.draft->limits().max_model_len, loaded.draft->limits().num_blocks);
  }
  auto check = CheckOf(loaded);
  loaded.served.engine_index =
      loaded.encoder
          ? engine_->AddEncoder(std::move(loaded.encoder), std::move(check))
          : engine_->AddModel(std::move(loaded.runner), SchedulerSettingsOf(settings_),
                              loaded.valid_tokens, std::move(loaded.draft), std::move(check));
  catalog_->SetReady(place, &loaded.served);
  ++num_loaded_;
}

// Sets the memory of requests to what is left by the loaded models and `more`, the next model.
Status ModelLoads::PlanMemory(const ModelMemory& more) {
  MutexLock lock(mutex_);
  memory_.weights += more.weights;
  memory_.kv_cache += more.kv_cache;
  const int64_t limit = MemoryLimit(settings_);
  EG_ASSIGN_OR_RETURN(const int64_t requests, RequestMemory(settings_, limit, memory_));
  resources_->memory.SetLimit(requests);
  spdlog::info("memory limit {} MiB: weights {}, caches {}, requests {}", limit >> 20,
               memory_.weights >> 20, memory_.kv_cache >> 20, requests >> 20);
  return {};
}

}  // namespace edgegate
