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
#include "server/access/api_keys.h"
#include "server/catalog/default_models.h"
#include "server/catalog/model_loader.h"
#include "server/catalog/model_loads.h"
#include "server/cli/commands.h"
#include "server/cli/stop_signals.h"
#include "server/http/server.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLoadCheck = std::chrono::milliseconds(20);

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

// Feeds systemd's watchdog, where there is one, unless the engine is stuck, by the same signal as
// /health.
class Watchdog {
 public:
  Watchdog() {
    uint64_t timeout = 0;
    if (sd_watchdog_enabled(0, &timeout) > 0) period_ = std::chrono::microseconds(timeout) / 3;
  }

  // It is to be fed once in this time; nullopt: there is none.
  std::optional<std::chrono::microseconds> period() const { return period_; }

  void Feed(const EngineSnapshot& snapshot) const {
    if (period_ && !snapshot.stuck()) sd_notify(0, "WATCHDOG=1");
  }

 private:
  std::optional<std::chrono::microseconds> period_;
};

// Waits for a signal while the models load and serve. False: a model failed to load. Where there is
// no watchdog, this thread does not wake once the models are loaded.
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
    if (signals.Wait(std::chrono::seconds(1))) _exit(kExitInterrupted);  // told twice
  }
  drain.join();
  // The last events still travel to their clients.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  http->Stop();
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
  std::vector<std::string> names;
  for (const ModelSetting& model : *wanted) names.push_back(NameOf(model));
  const auto catalog = ModelCatalog::Make(std::move(names));
  if (!catalog.ok()) return fail(catalog.status(), kExitUsage);
  std::vector<LoadedModel> loaded;
  EngineLoop engine(static_cast<int>(wanted->size()));
  auto options = MakeOptions(settings, &resources);
  if (!options.ok()) return fail(options.status(), kExitUsage);
  options->engine = &engine;
  options->catalog = catalog->get();
  HttpServer http(*std::move(options));
  if (Status status = http.Bind(); !status.ok()) return fail(status, kExitFailure);
  const bool ipv6 = settings.host.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + settings.host + "]" : settings.host;
  spdlog::info("listening on http://{}:{}", host, http.port());
  std::thread listener([&] { http.Run(); });
  engine.Start();
  ModelLoads loads(settings, *wanted, &resources, &loaded, &engine, catalog->get());
  const bool told = ServeUntilTold(&loads, engine, signals);
  loads.Stop();
  resources.jobs.Close();
  Drain(&http, &engine, settings.drain_timeout_s, signals);
  listener.join();
  spdlog::info("stopped");
  if (told) return kExitOk;
  return loads.failure() == ModelLoads::Failure::kMemory ? kExitUsage : kExitModel;
}

}  // namespace edgegate
