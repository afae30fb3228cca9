// The files that sentence-transformers writes beside a model: the modules of the pipeline, the
// pooling and the maximum length.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/embedding_config.h"

namespace edgegate {

// Reads the files in a model's directory. nullopt: there is no modules.json, so the model is not
// marked as an embedding model. kDataLoss: a file is malformed. kUnimplemented: a module or a
// pooling is not supported; the message names it.
Result<std::optional<EmbeddingConfig>> ReadSentenceFiles(const std::string& directory);

// Returns the paths of these files that exist, for hashing and for the manifest. The configuration
// of the pooling is where modules.json says.
std::vector<std::string> ListSentenceFiles(const std::string& directory);

}  // namespace edgegate
