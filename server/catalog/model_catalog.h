// The models that the daemon serves, by name. Models load side by side, and each answers as soon as
// it is loaded.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "server/call/served_model.h"

namespace edgegate {

// Provides its own synchronization.
class ModelCatalog {
 public:
  // `names`: the names of all models, which are not loaded yet. kInvalidArgument: two are equal.
  static Result<std::unique_ptr<ModelCatalog>> Make(std::vector<std::string> names);

  // Records that the model at index `place` of the names is loaded. Users of the catalog may keep
  // pointers to it. Call it once for each model.
  void SetReady(size_t place, const ServedModel* model);

  // kNotFound: there is no model of this name. kUnavailable: it is being loaded.
  Result<const ServedModel*> Find(std::string_view name) const;

  struct Entry {
    std::string name;
    const ServedModel* model;  // null: it is being loaded
  };
  // Returns all models, in the order of the names.
  std::vector<Entry> entries() const;
  // At least one model is loaded.
  bool any_ready() const;
  // Returns the models that are loaded, in the order of the names.
  std::vector<const ServedModel*> ready() const;

 private:
  explicit ModelCatalog(std::vector<std::string> names);

  const std::vector<std::string> names_;
  std::vector<std::atomic<const ServedModel*>> models_;  // by place; null: being loaded
};

}  // namespace edgegate
