// Data URLs (RFC 2397) that hold an image.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace edgegate {

// The bytes of "data:image/...;base64,...". Strict: the base64 alphabet of RFC 4648 with its
// padding and nothing else. kInvalidArgument with what is wrong and where. Thread-safe.
Result<std::string> DecodeDataUrl(std::string_view url);

}  // namespace edgegate
