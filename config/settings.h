// The settings of the daemon, from one TOML file, then the environment, then flags. Later ones win.
// config/settings.inc has the settings and their defaults.
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
  std::string draft;   // the draft model, a small model with the same vocabulary; empty: none
  std::string tool_format = {};  // the form of tool calls; empty: detected from the chat template
  // Compute embeddings from the last token, although the files do not mark the model for that.
  bool embedding = false;
  // Divides the scores of decisions. Absent: that of the model's files, or else 1.
  std::optional<float> decision_temperature = {};
};

inline constexpr int kManySetting = 1 << 30;

// One member for each entry of config/settings.inc, with its default.
struct Settings {
#define INT_SETTING(key, member, value, low, high, description) int member = value;
#define BOOL_SETTING(key, member, value, description) bool member = value;
#define STRING_SETTING(key, member, value, description) std::string member = value;
#define CHOICE_SETTING(key, member, value, words, description) std::string member = value;
#define LIST_SETTING(key, member, description) std::vector<std::string> member;
#include "config/settings.inc"

  std::vector<ModelSetting> models;
};

// Description of a setting, for flags and documentation.
struct SettingInfo {
  std::string key;           // "server.port"; EDGEGATE_SERVER_PORT; --server.port
  std::string description;   // sentences
  std::string default_text;  // as in a TOML file
  std::string values;        // "0 to 65535", "bf16, int8", "true, false"; empty: any text or list
};

// Returns all settings except the models, in order.
std::vector<SettingInfo> ListSettings();

// Sets `key` from text. Commas separate the items of a list. Returns kInvalidArgument with the key
// in the message if the key is unknown, or the value has the wrong type or is out of range.
Status SetSetting(std::string_view key, std::string_view value, Settings* settings);

// Reads a TOML file. The message names the file, the line and the key.
Status LoadSettingsFile(const std::string& path, Settings* settings);
// Reads the text of a TOML file. `name` is the file's name in messages.
Status LoadSettingsText(std::string_view text, const std::string& name, Settings* settings);

// Reads the variables EDGEGATE_SECTION_* of each section of the settings. An unknown one is an
// error.
Status LoadSettingsEnvironment(const char* const* environment, Settings* settings);

// Parses "NAME=PATH" or "PATH". A path may be two GGUF files with a "+" between them: the model and
// its mmproj.
ModelSetting ParseModel(std::string_view text);

}  // namespace edgegate
