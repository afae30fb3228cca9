// A bundle's manifest as JSON text.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "engine/weights/bundle_format.h"

namespace edgegate {

// The tensor table: name -> (offset, bytes).
using TensorTable = std::map<std::string, std::pair<uint64_t, uint64_t>>;

// Returns the manifest as JSON text. The same input gives the same bytes.
std::string ManifestToJson(const BundleInfo& info, const TensorTable& tensors);

// Returns the fields as a JSON object.
std::string EmbeddingToJson(const EmbeddingConfig& config);
// Reads the output of EmbeddingToJson() from untrusted text. kDataLoss: a field is malformed.
Result<EmbeddingConfig> EmbeddingFromJson(const Json& json);

// Reads a manifest from untrusted text. kDataLoss: the text is malformed; the message names the
// field.
Status ManifestFromJson(std::string_view text, BundleInfo* info, TensorTable* tensors);

}  // namespace edgegate
