// The models that commands know by name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/settings.h"
#include "engine/base/status.h"

namespace edgegate {

struct NamedModel {
  enum class Origin {
    kSettings,  // a [[model]] table
    kBuiltIn,   // installed with the program
    kFolder,    // in the model folder
    kCache,     // quantized before, in the cache folder
  };
  ModelSetting setting;  // with its name
  Origin origin = Origin::kSettings;
};

// Lists the models of the settings, the built-in model, and those of the model folder and of the
// cache. If two have one name, the first one is kept. Opens no model.
std::vector<NamedModel> NamedModels(const Settings& settings);

// Returns the model for an argument: a path that exists, in a form that ParseModel() reads, or the
// name of a NamedModel. kNotFound: there is no such file or name; the message has a suggestion and
// the names.
Result<ModelSetting> ResolveModel(const std::string& text, const Settings& settings);

}  // namespace edgegate
