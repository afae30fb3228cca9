#include "server/catalog/default_models.h"

#include <algorithm>
#include <filesystem>

#include "server/catalog/model_loader.h"

namespace edgegate {
namespace {

namespace fs = std::filesystem;

// Returns the path of the bundle that the build made. It is beside the program in a build tree,
// else under the installation prefix.
fs::path EmbeddedModel() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  const std::string name = std::string(kBuiltInModel) + ".edgegate";
  for (const fs::path& path : {folder / name, folder / "../share/edgegate" / name}) {
    if (fs::is_regular_file(path, error)) return path.lexically_normal();
  }
  return {};
}

fs::path ModelFolder(const Settings& settings) {
  if (!settings.model_dir.empty()) return settings.model_dir;
  return fs::path(OwnFolder("STATE_DIRECTORY", "XDG_DATA_HOME", ".local/share", "/var/lib")) /
         "models";
}

bool IsModel(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return fs::exists(path / "config.json", error);
  if (path.filename().string().find("mmproj") != std::string::npos) return false;
  return path.extension() == ".gguf" || path.extension() == ".edgegate";
}

}  // namespace

Result<std::vector<ModelSetting>> DefaultModels(const Settings& settings) {
  std::vector<ModelSetting> models;
  if (const fs::path path = EmbeddedModel(); !path.empty())
    models.push_back({kBuiltInModel, path, "", ""});
  const fs::path folder = ModelFolder(settings);
  std::error_code error;
  std::vector<ModelSetting> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& path = entry->path();
    if (!IsModel(path)) continue;
    std::error_code unused;
    found.push_back({fs::is_directory(path, unused) ? path.filename() : path.stem(), path, "", ""});
  }
  std::sort(found.begin(), found.end(),
            [](const ModelSetting& a, const ModelSetting& b) { return a.path < b.path; });
  models.insert(models.end(), found.begin(), found.end());
  if (models.empty()) {
    return NotFound(
        "no model: give --model PATH or [[model]] in the settings file ({}.edgegate is not "
        "installed, and {} holds none)",
        kBuiltInModel, folder.string());
  }
  return models;
}

ModelSetting FindModel(const std::string& text, const Settings& settings) {
  ModelSetting model = ParseModel(text);
  std::error_code error;
  if (fs::exists(model.path, error)) return model;
  const auto known = DefaultModels(settings);
  if (!known.ok()) return model;
  for (const ModelSetting& other : *known) {
    if (other.name != model.path) continue;
    model.path = other.path;
    if (model.name.empty()) model.name = other.name;
  }
  return model;
}

Status AddDraft(const std::string& text, Settings* settings) {
  if (settings->models.empty()) {
    EG_ASSIGN_OR_RETURN(settings->models, DefaultModels(*settings));
  }
  std::vector<ModelSetting>& models = settings->models;
  const std::string name = ParseModel(text).name;
  if (name.empty() && models.size() > 1) {
    return InvalidArgument("--draft {}: say for which of {} models it drafts: NAME=PATH", text,
                           models.size());
  }
  const auto model = std::find_if(models.begin(), models.end(), [&](const ModelSetting& m) {
    return name.empty() || NameOf(m) == name;
  });
  if (model == models.end())
    return InvalidArgument("--draft {}: no model is called {}", text, name);
  model->draft = FindModel(text, *settings).path;
  return {};
}

}  // namespace edgegate
