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
// A setting whose value is one of several words.
struct ChoiceField {
  std::string Settings::*member;
  const char* words;  // "bf16|int8"
};
using ListField = std::vector<std::string> Settings::*;

struct Entry {
  const char* key;
  std::variant<IntField, BoolField, StringField, ChoiceField, ListField> field;
  const char* description;
};

const Entry kEntries[] = {
#define INT_SETTING(key, member, value, low, high, description) \
  {key, IntField{&Settings::member, low, high}, description},
#define BOOL_SETTING(key, member, value, description) {key, &Settings::member, description},
#define STRING_SETTING(key, member, value, description) {key, &Settings::member, description},
#define CHOICE_SETTING(key, member, value, words, description) \
  {key, ChoiceField{&Settings::member, words}, description},
#define LIST_SETTING(key, member, description) {key, &Settings::member, description},
#include "config/settings.inc"
};

const Entry* Find(std::string_view key) {
  const auto* found = std::find_if(std::begin(kEntries), std::end(kEntries),
                                   [&](const Entry& e) { return key == e.key; });
  return found == std::end(kEntries) ? nullptr : found;
}

bool IsSection(std::string_view name) {
  return std::any_of(std::begin(kEntries), std::end(kEntries), [&](const Entry& e) {
    const std::string_view key = e.key;
    return key.substr(0, key.find('.')) == name;
  });
}

// Returns the words of a choice with a separator between them.
std::string Words(const ChoiceField& field, std::string_view separator) {
  std::string text;
  for (const char* c = field.words; *c != '\0'; ++c) {
    *c == '|' ? text += separator : text += *c;
  }
  return text;
}

std::string EnvironmentName(std::string_view key) {
  std::string name = "EDGEGATE_";
  for (char c : key) name += c == '.' ? '_' : static_cast<char>(std::toupper(c));
  return name;
}

// True if the variable has the prefix of a section, such as EDGEGATE_SERVER_ or EDGEGATE_ENGINE_.
bool NamesSection(std::string_view variable) {
  return std::any_of(std::begin(kEntries), std::end(kEntries), [&](const Entry& e) {
    const std::string name = EnvironmentName(e.key);
    return variable.starts_with(name.substr(0, name.find('_', sizeof("EDGEGATE_") - 1) + 1));
  });
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
  const std::string words = fmt::format("|{}|", field.words);
  const bool known = value.find('|') == std::string::npos &&
                     words.find(fmt::format("|{}|", value)) != std::string::npos;
  if (!known) {
    return InvalidArgument("{} is \"{}\": must be {}", entry.key, value, Words(field, " or "));
  }
  settings->*field.member = value;
  return {};
}

// Sets a list of non-empty strings.
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
      if (key.str() == "embedding") {
        const auto flag = value.value_exact<bool>();
        if (!flag) return InvalidArgument("model.embedding must be true or false");
        model.embedding = *flag;
        continue;
      }
      if (key.str() == "decision_temperature") {
        const double number = value.value<double>().value_or(0);
        if (!(number >= 0.01 && number <= 100)) {
          return InvalidArgument("model.decision_temperature must be a number from 0.01 to 100");
        }
        model.decision_temperature = static_cast<float>(number);
        continue;
      }
      const auto text = value.value_exact<std::string>();
      std::string* member = key.str() == "name"          ? &model.name
                            : key.str() == "path"        ? &model.path
                            : key.str() == "mmproj"      ? &model.mmproj
                            : key.str() == "draft"       ? &model.draft
                            : key.str() == "tool_format" ? &model.tool_format
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
    SettingInfo info{e.key, e.description, "[]", ""};
    if (const auto* text = std::get_if<StringField>(&e.field)) {
      info.default_text = fmt::format("\"{}\"", defaults.**text);
    } else if (const auto* choice = std::get_if<ChoiceField>(&e.field)) {
      info.default_text = fmt::format("\"{}\"", defaults.*choice->member);
      info.values = Words(*choice, ", ");
    } else if (const auto* number = std::get_if<IntField>(&e.field)) {
      info.default_text = fmt::format("{}", defaults.*number->member);
      info.values = number->high == kManySetting
                        ? fmt::format("{} or more", number->low)
                        : fmt::format("{} to {}", number->low, number->high);
    } else if (const auto* flag = std::get_if<BoolField>(&e.field)) {
      info.default_text = fmt::format("{}", defaults.**flag);
      info.values = "true, false";
    }
    list.push_back(std::move(info));
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
      if (!IsSection(section) || !value.is_table()) {
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
    // Other variables that begin with EDGEGATE_ may belong to scripts.
    if (!NamesSection(variable) || equals == std::string_view::npos) continue;
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
