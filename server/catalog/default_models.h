// The models to serve where the settings name none, and the file that a model's name alone stands
// for.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "engine/base/status.h"

namespace edgegate {

// edge-demo-v, which is installed with the daemon, and each model in the model folder: bundles,
// GGUF files (mmproj files are no models) and Hugging Face directories, by name. kNotFound where
// there are none at all.
Result<std::vector<ModelSetting>> DefaultModels(const Settings& settings);

// A model as a command line has it (see ParseModel), or the name of one of DefaultModels().
ModelSetting FindModel(const std::string& text, const Settings& settings);

// Gives a model of the settings, or of DefaultModels() where they name none, its draft: NAME=PATH
// says which, PATH alone will do for the only one.
Status AddDraft(const std::string& text, Settings* settings);

}  // namespace edgegate
