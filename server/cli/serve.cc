// `edgegate serve`: listens first, then loads its models and serves until it is told to stop.

#include <malloc.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include <atomic>
#include <optional>
#include <thread>

#include "engine/ops/isa/isa_cap.h"
#include "scheduler/engine_loop.h"
#include "scheduler/queue_policy.h"
#include "server/access/access_rules.h"
#include "server/api/api_server.h"
#include "server/catalog/default_models.h"
#include "server/catalog/model_loader.h"
#include "server/catalog/model_loads.h"
#include "server/cli/commands.h"
#include "server/cli/stop_signals.h"
#include "server/worker/video_decoder.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLoadCheck = std::chrono::milliseconds(20);

HttpOptions MakeHttpOptions(const Settings& s) {
  return {.host = s.host,
          .port = s.port,
          .max_body_bytes = size_t(s.max_body_mb) << 20,
          .max_connections = s.max_connections,
          .max_connections_per_address = s.max_connections_per_address,
          .body_timeout_s = s.body_timeout_s,
          .read_timeout_s = s.read_timeout_s,
          .write_timeout_s = s.write_timeout_s};
}

Result<AccessRules> MakeAccessRules(const Settings& s) {
  AccessRules rules;
  EG_ASSIGN_OR_RETURN(rules.sites, SiteRules::Make(s.allowed_hosts, s.allowed_origins));
  std::vector<std::string> keys = s.api_keys;
  if (!s.api_keys_file.empty()) {
    EG_ASSIGN_OR_RETURN(const auto listed, ReadApiKeys(s.api_keys_file));
    keys.insert(keys.end(), listed.begin(), listed.end());
  }
  auto made = ApiKeys::Make(keys);
  if (!made.ok()) return made.status().WithContext("server.api_keys, server.api_keys_file");
  rules.keys = *std::move(made);
  return rules;
}

VideoOptions MakeVideoOptions(const Settings& s, VideoDecoder* decoder) {
  VideoOptions options;
  options.decoder = decoder;
  options.max_frames = s.max_video_frames;
  if (s.video_frames == "frames") options.form = VideoOptions::Form::kFrames;
  if (s.video_frames == "sheet") options.form = VideoOptions::Form::kSheet;
  return options;
}

ApiServices MakeServices(const Settings& s, SharedResources* resources, VideoDecoder* videos,
                         EngineLoop* engine, const ModelCatalog* catalog) {
  ApiServices services;
  services.images.allowed_hosts = s.image_hosts;
  services.images.allowed_private_hosts = s.image_private_hosts;
  services.images.max_bytes = size_t(s.max_body_mb) << 20;
  services.images.timeout_s = s.read_timeout_s;
  services.videos = MakeVideoOptions(s, videos);
  services.request_timeout_s = s.request_timeout_s;
  services.page = s.page;
  services.strict = s.strict;
  services.memory = &resources->memory;
  services.engine = engine;
  services.catalog = catalog;
  return services;
}

// Feeds systemd's watchdog, if there is one, unless the engine is stuck. It uses the same condition
// as /health.
class Watchdog {
 public:
  Watchdog() {
    uint64_t timeout = 0;
    if (sd_watchdog_enabled(0, &timeout) > 0) period_ = std::chrono::microseconds(timeout) / 3;
  }

  // Feed() must be called once in this time. nullopt: there is no watchdog.
  std::optional<std::chrono::microseconds> period() const { return period_; }

  void Feed(const EngineSnapshot& snapshot) const {
    if (period_ && !snapshot.stuck()) sd_notify(0, "WATCHDOG=1");
  }

 private:
  std::optional<std::chrono::microseconds> period_;
};

// Waits for a signal while the models load and serve. False: a model failed to load. Without a
// watchdog, this thread sleeps until the signal once the models are loaded.
bool ServeUntilTold(ModelLoads* loads, const EngineLoop& engine, const StopSignals& signals) {
  const Watchdog watchdog;
  while (!loads->done()) {
    if (signals.Wait(kLoadCheck)) {
      spdlog::info("stopped while loading");
      return true;
    }
  }
  if (loads->failure() != ModelLoads::Failure::kNone) return false;
  sd_notify(0, "READY=1");
  spdlog::info("ready");
  while (!signals.Wait(watchdog.period())) watchdog.Feed(engine.snapshot());
  return true;
}

void Drain(ApiServer* api, EngineLoop* engine, int timeout_s, const StopSignals& signals) {
  spdlog::info("draining: running requests get {} s", timeout_s);
  sd_notify(0, "STOPPING=1");
  api->StartDraining();
  std::atomic<bool> drained{false};
  std::thread drain([&] {
    engine->Drain(Clock::now() + std::chrono::seconds(timeout_s));
    drained = true;
  });
  while (!drained) {
    if (signals.Wait(std::chrono::seconds(1))) _exit(kExitInterrupted);  // second signal
  }
  drain.join();
  // Time for the last events to reach the clients.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  api->Stop();
}

// Sets few malloc arenas, and returns large blocks to the kernel when they are freed. So the daemon
// does not keep the memory of a burst of requests.
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
  if (Status status = CheckQueuePolicy(settings.queue_policy); !status.ok()) {
    return fail(status, kExitUsage);
  }
  const StopSignals signals;  // made before the threads, so that no thread gets the signals
  SharedResources resources(settings, 0);
  VideoDecoder videos({.cpu = std::chrono::milliseconds(settings.video_cpu_ms),
                       .memory = int64_t{settings.video_memory_mb} << 20,
                       .max_waiting = settings.max_waiting});
  std::vector<std::string> names;
  for (const ModelSetting& model : *wanted) names.push_back(NameOf(model));
  const auto catalog = ModelCatalog::Make(std::move(names));
  if (!catalog.ok()) return fail(catalog.status(), kExitUsage);
  std::vector<LoadedModel> loaded;
  EngineLoop engine(static_cast<int>(wanted->size()));
  auto rules = MakeAccessRules(settings);
  if (!rules.ok()) return fail(rules.status(), kExitUsage);
  ApiServer api(MakeHttpOptions(settings), *std::move(rules),
                MakeServices(settings, &resources, &videos, &engine, catalog->get()));
  if (Status status = api.Bind(); !status.ok()) return fail(status, kExitFailure);
  const bool ipv6 = settings.host.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + settings.host + "]" : settings.host;
  spdlog::info("listening on http://{}:{}", host, api.port());
  std::thread listener([&] { api.Run(); });
  engine.Start();
  ModelLoads loads(settings, *wanted, &resources, &loaded, &engine, catalog->get());
  const bool told = ServeUntilTold(&loads, engine, signals);
  loads.Stop();
  resources.jobs.Close();
  videos.Close();
  Drain(&api, &engine, settings.drain_timeout_s, signals);
  listener.join();
  spdlog::info("stopped");
  if (told) return kExitOk;
  return loads.failure() == ModelLoads::Failure::kMemory ? kExitUsage : kExitModel;
}

}  // namespace edgegate
