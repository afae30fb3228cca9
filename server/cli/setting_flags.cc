#include "server/cli/setting_flags.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "config/settings.h"

namespace edgegate {
namespace {

template <size_t n>
bool IsOneOf(const std::string& key, const std::string_view (&keys)[n]) {
  return std::find(std::begin(keys), std::end(keys), key) != std::end(keys);
}

// Settings of the engine that only the daemon reads.
constexpr std::string_view kOnlyServe[] = {"engine.max_num_seqs", "engine.max_waiting",
                                           "engine.queue_policy", "engine.target_itl_ms"};
// Settings of the server that `edgegate run` reads.
constexpr std::string_view kServerOfRun[] = {"server.max_body_mb", "server.job_cpu_ms",
                                             "server.job_memory_mb"};
constexpr std::string_view kBench[] = {"engine.threads",       "engine.max_num_batched_tokens",
                                       "engine.kv_cache_type", "engine.isa",
                                       "engine.huge_pages",    "engine.weight_format",
                                       "engine.head_format",   "engine.model_dir",
                                       "engine.cache_dir"};
constexpr std::string_view kList[] = {"engine.model_dir", "engine.cache_dir"};

bool Reads(Command command, const std::string& key) {
  switch (command) {
    case Command::kServe:
      return true;
    case Command::kRun:
      return key.starts_with("engine.") ? !IsOneOf(key, kOnlyServe) : IsOneOf(key, kServerOfRun);
    case Command::kBench:
      return IsOneOf(key, kBench);
    case Command::kList:
      return IsOneOf(key, kList);
    case Command::kQuantize:
      return false;
  }
  return false;
}

std::string ShortName(const std::string& key) {
  if (key == "server.host") return ",--host";
  if (key == "server.port") return ",--port";
  if (key == "engine.threads") return ",--threads";
  if (key == "engine.weight_format") return ",--format";
  if (key == "engine.head_format") return ",--head-format";
  return "";
}

}  // namespace

void AddSettingFlags(Command command, CLI::App* app, CommandLine* line) {
  app->add_option("--config", line->config_file, "settings file (TOML)")->type_name("FILE");
  for (const SettingInfo& info : ListSettings()) {
    if (!Reads(command, info.key)) continue;
    const std::string values = info.values.empty() ? "" : "; " + info.values;
    app->add_option("--" + info.key + ShortName(info.key), line->settings[info.key],
                    info.description + " [" + info.default_text + values + "]")
        ->type_name("")
        ->group("Settings: " + info.key.substr(0, info.key.find('.')));
  }
}

}  // namespace edgegate
