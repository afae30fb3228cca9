#include "server/cli/named_models.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "server/catalog/default_models.h"
#include "server/catalog/model_loader.h"
#include "server/cli/suggestion.h"

namespace edgegate {
namespace {

namespace fs = std::filesystem;
using Origin = NamedModel::Origin;

constexpr size_t kMaxNames = 20;  // of a message

void Add(ModelSetting setting, Origin origin, std::vector<NamedModel>* models) {
  setting.name = NameOf(setting);
  const bool taken = std::any_of(models->begin(), models->end(), [&](const NamedModel& other) {
    return other.setting.name == setting.name;
  });
  if (!taken) models->push_back({std::move(setting), origin});
}

void AddCached(const Settings& settings, std::vector<NamedModel>* models) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::directory_iterator entry(CacheDirectory(settings), error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".edgegate") paths.push_back(entry->path());
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    Add({.name = "", .path = path, .mmproj = "", .draft = ""}, Origin::kCache, models);
  }
}

std::vector<std::string> NamesOf(const std::vector<NamedModel>& models) {
  std::vector<std::string> names;
  for (const NamedModel& model : models) names.push_back(model.setting.name);
  return names;
}

Status UnknownModel(const std::string& text, const std::vector<NamedModel>& models) {
  std::vector<std::string> names = NamesOf(models);
  const std::string suggestion = DidYouMean(text, names);
  const bool more = names.size() > kMaxNames;
  if (more) names.resize(kMaxNames);
  return NotFound("no model or file is called {}.{} Models: {}{} (edgegate list)", text, suggestion,
                  names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")),
                  more ? ", ..." : "");
}

}  // namespace

std::vector<NamedModel> NamedModels(const Settings& settings) {
  std::vector<NamedModel> models;
  for (const ModelSetting& setting : settings.models) Add(setting, Origin::kSettings, &models);
  if (auto found = DefaultModels(settings); found.ok()) {
    for (ModelSetting& setting : *found) {
      const bool built_in = setting.name == kBuiltInModel && &setting == &found->front();
      Add(std::move(setting), built_in ? Origin::kBuiltIn : Origin::kFolder, &models);
    }
  }
  AddCached(settings, &models);
  return models;
}

Result<ModelSetting> ResolveModel(const std::string& text, const Settings& settings) {
  ModelSetting model = ParseModel(text);
  std::error_code error;
  if (fs::exists(model.path, error)) return model;
  std::vector<NamedModel> known = NamedModels(settings);
  for (NamedModel& other : known) {
    if (other.setting.name != model.path) continue;
    if (!model.name.empty()) other.setting.name = model.name;
    return std::move(other.setting);
  }
  return UnknownModel(model.path, known);
}

}  // namespace edgegate
