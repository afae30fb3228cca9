// Loads the draft model of another model (scheduler/draft_model.h).
#pragma once

#include "server/catalog/model_loader.h"

namespace edgegate {

// Loads `model.draft` into `loaded`, which is loaded otherwise. kInvalidArgument, naming both
// files, when their tokens are not the same, or when either takes images.
Status LoadDraft(const ModelSetting& model, const Settings& settings,
                 const std::function<bool()>& stop, SharedResources* resources,
                 LoadedModel* loaded);

}  // namespace edgegate
