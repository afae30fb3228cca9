#include "server/catalog/model_catalog.h"

#include <algorithm>
#include <utility>

namespace edgegate {

ModelCatalog::ModelCatalog(std::vector<std::string> names)
    : names_(std::move(names)), models_(names_.size()) {}

Result<std::unique_ptr<ModelCatalog>> ModelCatalog::Make(std::vector<std::string> names) {
  auto sorted = names;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    return InvalidArgument("two models are called {}: name one by NAME=PATH", *twice);
  }
  return std::unique_ptr<ModelCatalog>(new ModelCatalog(std::move(names)));
}

void ModelCatalog::SetReady(size_t place, const ServedModel* model) { models_[place] = model; }

Result<const ServedModel*> ModelCatalog::Find(std::string_view name) const {
  const auto at = std::find(names_.begin(), names_.end(), name);
  if (at == names_.end()) return NotFound("The model '{}' does not exist.", name);
  const ServedModel* model = models_[static_cast<size_t>(at - names_.begin())];
  if (model == nullptr) return Unavailable("the model '{}' is still loading", name);
  return model;
}

std::vector<ModelCatalog::Entry> ModelCatalog::entries() const {
  std::vector<Entry> entries;
  for (size_t i = 0; i < names_.size(); ++i) entries.push_back({names_[i], models_[i]});
  return entries;
}

bool ModelCatalog::any_ready() const {
  return std::any_of(models_.begin(), models_.end(),
                     [](const auto& place) { return place.load() != nullptr; });
}

std::vector<const ServedModel*> ModelCatalog::ready() const {
  std::vector<const ServedModel*> ready;
  for (const auto& place : models_) {
    if (const ServedModel* model = place) ready.push_back(model);
  }
  return ready;
}

}  // namespace edgegate
