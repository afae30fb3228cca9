// `edgegate serve`: listens first, then loads, then serves until it is told to stop.

#include <malloc.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include <atomic>
#include <thread>

#include "engine/ops/isa.h"
#include "scheduler/engine_loop.h"
#include "server/access/api_keys.h"
#include "server/cli/commands.h"
#include "server/cli/default_models.h"
#include "server/cli/memory_plan.h"
#include "server/cli/model_loader.h"
#include "server/cli/stop_signals.h"
#include "server/http/server.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

Result<ServerOptions> MakeOptions(const Settings& s, SharedResources* resources) {
  ServerOptions options;
  options.memory = &resources->memory;
  options.host = s.host;
  options.port = s.port;
  options.api_keys = s.api_keys;
  options.max_body_bytes = size_t(s.max_body_mb) << 20;
  options.max_connections = s.max_connections;
  options.max_connections_per_address = s.max_connections_per_address;
  options.body_timeout_s = s.body_timeout_s;
  options.read_timeout_s = s.read_timeout_s;
  options.write_timeout_s = s.write_timeout_s;
  options.request_timeout_s = s.request_timeout_s;
  options.images.allowed_hosts = s.image_hosts;
  options.images.allowed_private_hosts = s.image_private_hosts;
  options.images.max_bytes = options.max_body_bytes;
  options.images.timeout_s = s.read_timeout_s;
  EG_ASSIGN_OR_RETURN(options.sites, SiteRules::Make(s.allowed_hosts, s.allowed_origins));
  if (s.api_keys_file.empty()) return options;
  EG_ASSIGN_OR_RETURN(const auto keys, ReadApiKeys(s.api_keys_file));
  options.api_keys.insert(options.api_keys.end(), keys.begin(), keys.end());
  return options;
}

// Feeds systemd's watchdog unless the engine is stuck, by the same signal as /health.
void FeedWatchdog(const EngineSnapshot& snapshot) {
  if (!snapshot.stuck()) sd_notify(0, "WATCHDOG=1");
}

void Drain(HttpServer* http, EngineLoop* engine, int timeout_s, const StopSignals& signals) {
  spdlog::info("draining: running requests get {} s", timeout_s);
  sd_notify(0, "STOPPING=1");
  http->StartDraining();
  std::atomic<bool> drained{false};
  std::thread drain([&] {
    engine->Drain(Clock::now() + std::chrono::seconds(timeout_s));
    drained = true;
  });
  while (!drained) {
    if (signals.WaitASecond()) _exit(kExitInterrupted);  // told twice
  }
  drain.join();
  // The last events still travel to their clients.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  http->Stop();
}

// Whether the files that the model's weights are mapped from are as they were. The log says which
// file is not; clients need not know where it is.
std::function<Status()> CheckOf(const LoadedModel& model) {
  return [bundle = model.bundle.get(), draft = model.draft_bundle.get(), name = model.served.name] {
    Status status = bundle->CheckIntact();
    if (status.ok() && draft != nullptr) status = draft->CheckIntact();
    if (status.ok()) return status;
    spdlog::error("{}", status.message());
    return DataLoss("the file of the model {} was changed while it was served", name);
  };
}

// What the models have taken is known now: the rest is for requests.
Status PlanMemory(const Settings& settings, const std::vector<LoadedModel>& models,
                  MemoryBudget* memory) {
  ModelMemory sum;
  for (const LoadedModel& model : models) {
    sum.weights += model.memory.weights;
    sum.kv_cache += model.memory.kv_cache;
  }
  const int64_t limit = MemoryLimit(settings);
  EG_ASSIGN_OR_RETURN(const int64_t requests, RequestMemory(settings, limit, sum));
  memory->SetLimit(requests);
  spdlog::info("memory limit {} MiB: weights {}, caches {}, requests {}", limit >> 20,
               sum.weights >> 20, sum.kv_cache >> 20, requests >> 20);
  return {};
}

// Few arenas, and large blocks that go back to the kernel when they are freed: what a burst of
// requests took is not kept.
void TuneAllocator() {
  mallopt(M_ARENA_MAX, 4);
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

}  // namespace

int Serve(const Settings& settings) {
  TuneAllocator();
  spdlog::set_default_logger(spdlog::stderr_logger_mt("edgegate"));
  spdlog::set_level(spdlog::level::from_str(settings.log_level));
  auto fail = [](const Status& status, int code) {
    spdlog::error("{}", status.message());
    return code;
  };
  auto wanted = settings.models.empty() ? DefaultModels(settings) : settings.models;
  if (!wanted.ok()) return fail(wanted.status(), kExitUsage);
  if (Status status = SetIsaCap(settings.isa); !status.ok()) return fail(status, kExitUsage);
  const StopSignals signals;  // before there are threads, so that none of them gets the signals
  SharedResources resources(settings, 0);
  const auto options = MakeOptions(settings, &resources);
  if (!options.ok()) return fail(options.status(), kExitUsage);
  HttpServer http(*options);
  if (Status status = http.Bind(); !status.ok()) return fail(status, kExitFailure);
  const bool ipv6 = settings.host.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + settings.host + "]" : settings.host;
  spdlog::info("listening on http://{}:{}", host, http.port());
  std::thread listener([&] { http.Run(); });
  std::vector<LoadedModel> models;
  EngineLoop engine;
  auto stop = [&](int code) {
    http.Stop();
    listener.join();
    return code;
  };
  std::vector<const ServedModel*> served;
  models.reserve(wanted->size());
  for (const ModelSetting& setting : *wanted) {
    const auto start = Clock::now();
    auto loaded = LoadModel(
        setting, settings, [&] { return signals.pending(); }, &resources);
    if (signals.pending()) {
      spdlog::info("stopped while loading");
      sd_notify(0, "STOPPING=1");
      return stop(kExitOk);
    }
    if (!loaded.ok()) {
      spdlog::error("cannot load {}: {}", setting.path, loaded.status().message());
      return stop(kExitModel);
    }
    models.push_back(*std::move(loaded));
    LoadedModel& model = models.back();
    for (const ServedModel* other : served) {
      if (other->name != model.served.name) continue;
      spdlog::error("two models are called {}: name one by NAME=PATH", other->name);
      return stop(kExitUsage);
    }
    spdlog::info("loaded {} in {:.2f} s: context {}, {} KV blocks, {}", model.served.name,
                 std::chrono::duration<double>(Clock::now() - start).count(),
                 model.served.limits.max_model_len, model.served.limits.num_blocks,
                 model.runner->kernels());
    if (model.draft) {
      spdlog::info("{} guesses for {}: context {}, {} KV blocks", setting.draft, model.served.name,
                   model.draft->limits().max_model_len, model.draft->limits().num_blocks);
    }
    const SchedulerLimits limits{
        settings.max_num_seqs,   settings.max_num_batched_tokens,
        settings.max_waiting,    int64_t{settings.image_cache_mb} << 20,
        settings.prefix_caching, std::chrono::milliseconds(settings.target_itl_ms),
        settings.speculation};
    model.served.engine_index = engine.AddModel(std::move(model.runner), limits, model.valid_tokens,
                                                std::move(model.draft), CheckOf(model));
    served.push_back(&model.served);
  }
  if (Status status = PlanMemory(settings, models, &resources.memory); !status.ok()) {
    spdlog::error("{}", status.message());
    return stop(kExitUsage);
  }
  engine.Start();
  http.SetReady(&engine, served);
  sd_notify(0, "READY=1");
  spdlog::info("ready");
  while (!signals.WaitASecond()) {
    FeedWatchdog(engine.snapshot());
    AdjustThreadPool(settings, resources.pool.get());
  }
  resources.jobs.Close();
  Drain(&http, &engine, settings.drain_timeout_s, signals);
  listener.join();
  spdlog::info("stopped");
  return kExitOk;
}

}  // namespace edgegate
