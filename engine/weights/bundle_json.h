// A bundle's manifest as JSON text.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "engine/weights/bundle_format.h"

namespace edgegate {

// Name -> (offset, bytes).
using TensorTable = std::map<std::string, std::pair<uint64_t, uint64_t>>;

std::string ManifestToJson(const BundleInfo& info, const TensorTable& tensors);

// kDataLoss, naming the field, when it is malformed.
Status ManifestFromJson(std::string_view text, BundleInfo* info, TensorTable* tensors);

}  // namespace edgegate
