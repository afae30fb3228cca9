// Every setting, with its default. Filled from one TOML file, then the environment, then flags:
// later ones win.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

struct ModelSetting {
  std::string name;  // empty: from the path
  std::string path;
  std::string mmproj;  // the GGUF file with the vision part of a GGUF model; empty: none
  std::string draft;   // a small model of the same vocabulary that guesses for it; empty: none
};

struct Settings {
  std::string host = "127.0.0.1";
  int port = 8089;
  std::vector<std::string> api_keys;
  std::string api_keys_file;                 // one key a line
  std::vector<std::string> allowed_hosts;    // names it answers to besides local ones
  std::vector<std::string> allowed_origins;  // other sites whose pages may use it
  int max_body_mb = 16;
  int memory_limit_mb = 0;      // 0: three quarters of the machine's or the cgroup's
  int request_memory_mb = 256;  // of it, what requests may take together
  int workers = 2;
  int job_cpu_ms = 1500;
  int job_memory_mb = 160;
  int max_connections = 512;
  int max_connections_per_address = 0;  // 0: half of max_connections
  int body_timeout_s = 120;
  int read_timeout_s = 15;
  int write_timeout_s = 15;
  int request_timeout_s = 0;  // 0: none
  int drain_timeout_s = 30;
  std::vector<std::string> image_hosts;          // whose http(s) URLs are fetched; empty: none's
  std::vector<std::string> image_private_hosts;  // of them, those that may be on the LAN

  int threads = 0;  // 0: one for each processor that affinity and cgroup quota allow
  int max_num_seqs = 64;
  int max_num_batched_tokens = 512;
  int max_waiting = 256;
  int max_model_len = 0;  // 0: the model's own
  int kv_cache_mb = 512;
  std::string kv_cache_type = "bf16";
  bool huge_pages = true;
  bool prefix_caching = true;
  bool speculation = true;
  int target_itl_ms = 0;  // 0: three usual gaps
  int max_images = 1;
  int image_cache_mb = 64;
  std::string isa = "auto";
  std::string weight_format = "int8";
  std::string model_dir;  // empty: STATE_DIRECTORY/models or the user's data folder
  std::string cache_dir;  // empty: CACHE_DIRECTORY, XDG_CACHE_HOME/edgegate or ~/.cache/edgegate
  std::string log_level = "info";

  std::vector<ModelSetting> models;
};

// What a setting is, for files, environment, flags and documentation alike.
struct SettingInfo {
  std::string key;  // "server.port"; EDGEGATE_SERVER_PORT; --server.port
  std::string description;
  std::string default_text;
};

// Every setting but the models, in order.
std::vector<SettingInfo> ListSettings();

// Sets `key` from text; a list's items are separated by commas. kInvalidArgument, naming the key,
// when it is unknown, of the wrong type or out of range.
Status SetSetting(std::string_view key, std::string_view value, Settings* settings);

// Reads a TOML file. The message names the file, the line and the key.
Status LoadSettingsFile(const std::string& path, Settings* settings);
// The same for text; `name` stands for the file in messages.
Status LoadSettingsText(std::string_view text, const std::string& name, Settings* settings);

// Reads EDGEGATE_SERVER_*, EDGEGATE_ENGINE_* and EDGEGATE_LOG_* variables. An unknown one is an
// error.
Status LoadSettingsEnvironment(const char* const* environment, Settings* settings);

// "NAME=PATH" or "PATH"; a path may be two GGUF files with a "+" between them, the model's and its
// mmproj.
ModelSetting ParseModel(std::string_view text);

}  // namespace edgegate
