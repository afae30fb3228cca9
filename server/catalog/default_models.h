// Finds the models to serve if the settings name none, and the file of a model that is given by its
// name alone.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "engine/base/status.h"

namespace edgegate {

// The name of the model that is installed with the daemon.
inline constexpr const char* kBuiltInModel = "edge-demo-v";

// Lists edge-demo-v, which is installed with the daemon, and each model in the model folder, by
// name. Models are bundles, GGUF files except mmproj files, and Hugging Face directories.
// kNotFound: there is no model.
Result<std::vector<ModelSetting>> DefaultModels(const Settings& settings);

// Returns the model for a command-line argument. `text` is the name of one of DefaultModels(), or
// has the form that ParseModel() reads.
ModelSetting FindModel(const std::string& text, const Settings& settings);

// Sets the draft model of a model of the settings, or of DefaultModels() if the settings name none.
// `text`: NAME=PATH, or PATH if there is only one model.
Status AddDraft(const std::string& text, Settings* settings);

}  // namespace edgegate
