// Loads the draft model of another model (scheduler/draft_model.h).
#pragma once

#include "server/catalog/model_loader.h"

namespace edgegate {

// Loads `model.draft` into `loaded`, whose other parts are loaded already. kInvalidArgument: the
// two models have different tokens, or one of them takes images; the message names both files.
Status LoadDraft(const ModelSetting& model, const Settings& settings,
                 const std::function<bool()>& stop, SharedResources* resources,
                 LoadedModel* loaded);

}  // namespace edgegate
