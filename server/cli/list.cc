// `edgegate list`: the models that commands know by name.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/family/random_weights.h"
#include "server/cli/commands.h"
#include "server/cli/named_models.h"

namespace edgegate {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

const char* NameOfOrigin(NamedModel::Origin origin) {
  switch (origin) {
    case NamedModel::Origin::kSettings:
      return "settings";
    case NamedModel::Origin::kBuiltIn:
      return "built in";
    case NamedModel::Origin::kFolder:
      return "model folder";
    case NamedModel::Origin::kCache:
      return "cache";
  }
  return "";
}

// Returns the bytes of the model's files, without those in subfolders. nullopt: the path does not
// exist.
std::optional<uintmax_t> BytesOf(const ModelSetting& model) {
  std::error_code error;
  if (!fs::exists(model.path, error)) return std::nullopt;
  uintmax_t bytes = 0;
  const auto add = [&](const fs::path& path) {
    std::error_code failed;
    const uintmax_t size = fs::file_size(path, failed);
    if (!failed) bytes += size;
  };
  if (!fs::is_directory(model.path, error)) {
    add(model.path);
    if (!model.mmproj.empty()) add(model.mmproj);
    return bytes;
  }
  for (fs::directory_iterator entry(model.path, error), end; !error && entry != end;
       entry.increment(error)) {
    add(entry->path());
  }
  return bytes;
}

void PrintJson(const std::vector<NamedModel>& models) {
  ordered_json list = ordered_json::array();
  for (const NamedModel& model : models) {
    const auto bytes = BytesOf(model.setting);
    ordered_json row = {{"name", model.setting.name},
                        {"source", NameOfOrigin(model.origin)},
                        {"bytes", bytes ? ordered_json(*bytes) : ordered_json()},
                        {"path", model.setting.path}};
    if (!model.setting.mmproj.empty()) row["mmproj"] = model.setting.mmproj;
    if (!model.setting.draft.empty()) row["draft"] = model.setting.draft;
    list.push_back(std::move(row));
  }
  constexpr auto kReplace = ordered_json::error_handler_t::replace;  // a path may be any bytes
  std::printf("%s\n", list.dump(2, ' ', false, kReplace).c_str());
}

void PrintTable(const std::vector<NamedModel>& models) {
  size_t width = sizeof("NAME");
  for (const NamedModel& model : models) width = std::max(width, model.setting.name.size());
  const auto row = [&](const std::string& name, const char* source, const std::string& size,
                       const std::string& path) {
    std::printf("%-*s  %-12s  %9s  %s\n", static_cast<int>(width), name.c_str(), source,
                size.c_str(), path.c_str());
  };
  row("NAME", "SOURCE", "SIZE", "PATH");
  for (const NamedModel& model : models) {
    const auto bytes = BytesOf(model.setting);
    row(model.setting.name, NameOfOrigin(model.origin),
        bytes ? fmt::format("{:.1f} MB", static_cast<double>(*bytes) / 1e6) : "missing",
        model.setting.path);
  }
}

}  // namespace

int ListModels(const Settings& settings, const ListArguments& arguments) {
  if (arguments.shapes) {
    for (const std::string& shape : RandomWeights::Shapes()) std::printf("%s\n", shape.c_str());
    return kExitOk;
  }
  const std::vector<NamedModel> models = NamedModels(settings);
  if (arguments.names) {
    for (const NamedModel& model : models) std::printf("%s\n", model.setting.name.c_str());
  } else if (arguments.json) {
    PrintJson(models);
  } else {
    PrintTable(models);
  }
  return kExitOk;
}

}  // namespace edgegate
