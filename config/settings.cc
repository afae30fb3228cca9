#include "config/settings.h"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <variant>

namespace edgegate {
namespace {

struct IntField {
  int Settings::*member;
  int low, high;
};
using BoolField = bool Settings::*;
using StringField = std::string Settings::*;
// One of two words.
struct ChoiceField {
  std::string Settings::*member;
  const char* choices[2];
};
using ListField = std::vector<std::string> Settings::*;

// The one table of settings.
struct Entry {
  const char* key;
  std::variant<IntField, BoolField, StringField, ChoiceField, ListField> field;
  const char* description;
};

constexpr int kMany = 1 << 30;

const Entry kEntries[] = {
    {"server.host", &Settings::host, "address to listen on"},
    {"server.port", IntField{&Settings::port, 0, 65535}, "port to listen on; 0: any free one"},
    {"server.api_keys", &Settings::api_keys,
     "keys, each \"KEY\" or \"NAME KEY\"; clients send one as a bearer token; empty: no key is "
     "asked for"},
    {"server.api_keys_file", &Settings::api_keys_file,
     "file with one API key, \"KEY\" or \"NAME KEY\", a line"},
    {"server.allowed_hosts", &Settings::allowed_hosts,
     "host names to answer to besides addresses, names without dots, this machine's name and names "
     "under .local, .lan, .home.arpa and .internal; *.name for all below"},
    {"server.allowed_origins", &Settings::allowed_origins,
     "other sites whose pages may use the server, such as https://example.org"},
    {"server.max_body_mb", IntField{&Settings::max_body_mb, 1, 4096}, "largest request body, MiB"},
    {"server.memory_limit_mb", IntField{&Settings::memory_limit_mb, 0, kMany},
     "memory that the daemon may take in all, MiB; 0: three quarters of the machine's, or of the "
     "cgroup's where that is less"},
    {"server.request_memory_mb", IntField{&Settings::request_memory_mb, 16, kMany},
     "of it, memory that all requests together may take, MiB; further ones wait, then get 503"},
    {"server.workers", IntField{&Settings::workers, 1, 64},
     "requests that are tokenized, decoded or compiled at once, each in a process of its own"},
    {"server.job_cpu_ms", IntField{&Settings::job_cpu_ms, 100, 600000},
     "processor time for tokenizing a prompt, decoding an image or compiling a grammar, ms"},
    {"server.job_memory_mb", IntField{&Settings::job_memory_mb, 32, 65536},
     "memory for each of these, MiB"},
    {"server.max_connections", IntField{&Settings::max_connections, 1, 65536},
     "connections served at once; for further ones the longest idle is closed"},
    {"server.max_connections_per_address",
     IntField{&Settings::max_connections_per_address, 0, 65536},
     "of them, those of one IPv4 address or IPv6 /64 network; 0: half of them"},
    {"server.body_timeout_s", IntField{&Settings::body_timeout_s, 1, 3600},
     "seconds for a whole request body to arrive"},
    {"server.read_timeout_s", IntField{&Settings::read_timeout_s, 1, 3600},
     "seconds for a request's headers, and without a byte of its body, before it ends"},
    {"server.write_timeout_s", IntField{&Settings::write_timeout_s, 1, 3600},
     "seconds that a client may refuse data before its connection ends"},
    {"server.request_timeout_s", IntField{&Settings::request_timeout_s, 0, 86400},
     "seconds that a request may take; 0: no limit"},
    {"server.drain_timeout_s", IntField{&Settings::drain_timeout_s, 0, 3600},
     "seconds that running requests get to finish after SIGTERM"},
    {"server.image_hosts", &Settings::image_hosts,
     "hosts whose http(s) image URLs are fetched, *.name for all below; empty: none is"},
    {"server.image_private_hosts", &Settings::image_private_hosts,
     "of them, those that may have a private, link-local or loopback address"},
    {"engine.threads", IntField{&Settings::threads, 0, 1024},
     "threads that compute; 0: chosen for each step, at most one for each processor that affinity "
     "and cgroup quota allow"},
    {"engine.max_num_seqs", IntField{&Settings::max_num_seqs, 1, 65536},
     "sequences running at once, per model"},
    {"engine.max_num_batched_tokens", IntField{&Settings::max_num_batched_tokens, 1, 65536},
     "tokens in one step"},
    {"engine.max_waiting", IntField{&Settings::max_waiting, 1, kMany},
     "sequences waiting, per model; further requests get 429"},
    {"engine.max_model_len", IntField{&Settings::max_model_len, 0, kMany},
     "longest context, tokens; 0: the model's own"},
    {"engine.kv_cache_mb", IntField{&Settings::kv_cache_mb, 1, kMany},
     "memory for the KV cache of each model, MiB"},
    {"engine.kv_cache_type", ChoiceField{&Settings::kv_cache_type, {"bf16", "int8"}},
     "how keys and values are stored: bf16, or int8, which holds twice the tokens"},
    {"engine.huge_pages", &Settings::huge_pages,
     "after the start, move weights from the mapped file to huge pages, where memory allows: true "
     "or false"},
    {"engine.prefix_caching", &Settings::prefix_caching,
     "keep the KV of prompts for prompts that begin alike: true or false"},
    {"engine.speculation", &Settings::speculation,
     "where few sequences run, compute ahead the tokens that repeated text, or a draft model, "
     "goes on with: true or false"},
    {"engine.target_itl_ms", IntField{&Settings::target_itl_ms, 0, 60000},
     "longest gap between a stream's tokens while prompts and pictures are worked on, ms; 0: three "
     "times its usual one, or 50 while more wait than run"},
    {"engine.max_images", IntField{&Settings::max_images, 0, 1024}, "pictures in one request"},
    {"engine.image_cache_mb", IntField{&Settings::image_cache_mb, 0, kMany},
     "memory for what pictures were encoded to, per model, MiB"},
    {"engine.isa", &Settings::isa,
     "instruction set to stay below: auto, scalar, avx2, avx-vnni, avx512, avx512-vnni, amx"},
    {"engine.weight_format", ChoiceField{&Settings::weight_format, {"int8", "int4"}},
     "what models that are no bundles are quantized to: int8 or int4"},
    {"engine.model_dir", &Settings::model_dir,
     "models to serve where none is named; empty: the user's data folder"},
    {"engine.cache_dir", &Settings::cache_dir,
     "where quantized models are kept; empty: the user's cache folder"},
    {"log.level", &Settings::log_level, "trace, debug, info, warn, error or off"},
};

const Entry* Find(std::string_view key) {
  const auto* found = std::find_if(std::begin(kEntries), std::end(kEntries),
                                   [&](const Entry& e) { return key == e.key; });
  return found == std::end(kEntries) ? nullptr : found;
}

std::string EnvironmentName(std::string_view key) {
  std::string name = "EDGEGATE_";
  for (char c : key) name += c == '.' ? '_' : static_cast<char>(std::toupper(c));
  return name;
}

Status SetInt(const Entry& entry, int64_t value, Settings* settings) {
  const IntField& field = std::get<IntField>(entry.field);
  if (value < field.low || value > field.high) {
    return InvalidArgument("{} is {}: must be between {} and {}", entry.key, value, field.low,
                           field.high);
  }
  settings->*field.member = static_cast<int>(value);
  return {};
}

Status SetChoice(const Entry& entry, const std::string& value, Settings* settings) {
  const ChoiceField& field = std::get<ChoiceField>(entry.field);
  for (const char* choice : field.choices) {
    if (value != choice) continue;
    settings->*field.member = value;
    return {};
  }
  return InvalidArgument("{} is \"{}\": must be {} or {}", entry.key, value, field.choices[0],
                         field.choices[1]);
}

// A list of strings, none of them empty.
Status SetList(const Entry& entry, std::vector<std::string> items, Settings* settings) {
  for (const std::string& item : items) {
    if (item.empty()) return InvalidArgument("{} must be a list of strings", entry.key);
  }
  settings->*std::get<ListField>(entry.field) = std::move(items);
  return {};
}

Status SetFromToml(const Entry& entry, const toml::node& node, Settings* settings) {
  if (const auto* member = std::get_if<StringField>(&entry.field)) {
    const auto text = node.value_exact<std::string>();
    if (!text) return InvalidArgument("{} must be a string", entry.key);
    settings->** member = *text;
    return {};
  }
  if (std::holds_alternative<ChoiceField>(entry.field)) {
    const auto text = node.value_exact<std::string>();
    if (!text) return InvalidArgument("{} must be a string", entry.key);
    return SetChoice(entry, *text, settings);
  }
  if (std::holds_alternative<ListField>(entry.field)) {
    const toml::array* list = node.as_array();
    std::vector<std::string> items;
    for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
      items.push_back((*list)[i].value_exact<std::string>().value_or(""));
    }
    if (list == nullptr) items = {""};
    return SetList(entry, std::move(items), settings);
  }
  if (const auto* member = std::get_if<BoolField>(&entry.field)) {
    const auto value = node.value_exact<bool>();
    if (!value) return InvalidArgument("{} must be true or false", entry.key);
    settings->** member = *value;
    return {};
  }
  const auto number = node.value_exact<int64_t>();
  if (!number) return InvalidArgument("{} must be a whole number", entry.key);
  return SetInt(entry, *number, settings);
}

Status ReadModels(const toml::node& node, Settings* settings) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return InvalidArgument("models must be given as [[model]] tables");
  for (const toml::node& item : *list) {
    const toml::table* table = item.as_table();
    if (table == nullptr) return InvalidArgument("models must be given as [[model]] tables");
    ModelSetting model;
    for (const auto& [key, value] : *table) {
      const auto text = value.value_exact<std::string>();
      std::string* member = key.str() == "name"     ? &model.name
                            : key.str() == "path"   ? &model.path
                            : key.str() == "mmproj" ? &model.mmproj
                            : key.str() == "draft"  ? &model.draft
                                                    : nullptr;
      if (member == nullptr) return InvalidArgument("unknown key model.{}", std::string(key.str()));
      if (!text) return InvalidArgument("model.{} must be a string", std::string(key.str()));
      *member = *text;
    }
    if (model.path.empty()) return InvalidArgument("a [[model]] has no path");
    settings->models.push_back(model);
  }
  return {};
}

Status At(const std::string& name, const toml::node& node, const Status& status) {
  if (status.ok()) return {};
  return Status(status.code(),
                fmt::format("{}:{}: {}", name, node.source().begin.line, status.message()));
}

Status ReadSection(const std::string& name, std::string_view section, const toml::table& table,
                   Settings* settings) {
  for (const auto& [key, value] : table) {
    const std::string full = fmt::format("{}.{}", section, std::string(key.str()));
    Status status;
    if (const Entry* entry = Find(full)) {
      status = SetFromToml(*entry, value, settings);
    } else {
      status = InvalidArgument("unknown key {}", full);
    }
    EG_RETURN_IF_ERROR(At(name, value, status));
  }
  return {};
}

}  // namespace

std::vector<SettingInfo> ListSettings() {
  const Settings defaults;
  std::vector<SettingInfo> list;
  for (const Entry& e : kEntries) {
    const auto* text = std::get_if<StringField>(&e.field);
    const auto* choice = std::get_if<ChoiceField>(&e.field);
    const auto* number = std::get_if<IntField>(&e.field);
    const auto* yes = std::get_if<BoolField>(&e.field);
    list.push_back({e.key, e.description,
                    text     ? fmt::format("\"{}\"", defaults.**text)
                    : choice ? fmt::format("\"{}\"", defaults.*choice->member)
                    : number ? fmt::format("{}", defaults.*number->member)
                    : yes    ? fmt::format("{}", defaults.**yes)
                             : "[]"});
  }
  return list;
}

Status SetSetting(std::string_view key, std::string_view value, Settings* settings) {
  const Entry* entry = Find(key);
  if (entry == nullptr) return InvalidArgument("unknown setting {}", key);
  if (const auto* member = std::get_if<StringField>(&entry->field)) {
    settings->** member = std::string(value);
    return {};
  }
  if (std::holds_alternative<ChoiceField>(entry->field)) {
    return SetChoice(*entry, std::string(value), settings);
  }
  if (std::holds_alternative<ListField>(entry->field)) {
    std::vector<std::string> items;
    std::stringstream text{std::string(value)};
    for (std::string item; std::getline(text, item, ',');) items.push_back(item);
    return SetList(*entry, std::move(items), settings);
  }
  if (const auto* member = std::get_if<BoolField>(&entry->field)) {
    if (value != "true" && value != "false") {
      return InvalidArgument("{} must be true or false", entry->key);
    }
    settings->** member = value == "true";
    return {};
  }
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    return InvalidArgument("{} is \"{}\": must be a whole number", key, value);
  }
  return SetInt(*entry, number, settings);
}

Status LoadSettingsText(std::string_view text, const std::string& name, Settings* settings) {
  try {
    const toml::table root = toml::parse(text, std::string_view(name));
    for (const auto& [key, value] : root) {
      const std::string section(key.str());
      if (section == "model") {
        EG_RETURN_IF_ERROR(At(name, value, ReadModels(value, settings)));
        continue;
      }
      const bool known = section == "server" || section == "engine" || section == "log";
      if (!known || !value.is_table()) {
        return At(name, value, InvalidArgument("unknown section or key {}", section));
      }
      EG_RETURN_IF_ERROR(ReadSection(name, section, *value.as_table(), settings));
    }
  } catch (const toml::parse_error& e) {
    return InvalidArgument("{}:{}: {}", name, e.source().begin.line, std::string(e.description()));
  }
  return {};
}

Status LoadSettingsFile(const std::string& path, Settings* settings) {
  std::ifstream file(path);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) return NotFound("cannot read the settings file {}", path);
  return LoadSettingsText(text.str(), path, settings);
}

Status LoadSettingsEnvironment(const char* const* environment, Settings* settings) {
  for (; *environment != nullptr; ++environment) {
    const std::string_view variable = *environment;
    const size_t equals = variable.find('=');
    // Other EDGEGATE_ variables are not ours: a script may well keep its own.
    const bool ours = variable.starts_with("EDGEGATE_SERVER_") ||
                      variable.starts_with("EDGEGATE_ENGINE_") ||
                      variable.starts_with("EDGEGATE_LOG_");
    if (!ours || equals == std::string_view::npos) continue;
    const std::string_view name = variable.substr(0, equals);
    const std::string_view value = variable.substr(equals + 1);
    const auto* entry = std::find_if(std::begin(kEntries), std::end(kEntries), [&](const Entry& e) {
      return EnvironmentName(e.key) == name;
    });
    if (entry == std::end(kEntries)) return InvalidArgument("unknown variable {}", name);
    EG_RETURN_IF_ERROR(SetSetting(entry->key, value, settings));
  }
  return {};
}

ModelSetting ParseModel(std::string_view text) {
  ModelSetting model;
  const size_t equals = text.find('=');
  if (equals != std::string_view::npos && text.find('/') >= equals) {
    model.name = text.substr(0, equals);
    text.remove_prefix(equals + 1);
  }
  const size_t plus = text.find(".gguf+");
  if (plus != std::string_view::npos) {
    model.mmproj = text.substr(plus + 6);
    text = text.substr(0, plus + 5);
  }
  model.path = text;
  return model;
}

}  // namespace edgegate
