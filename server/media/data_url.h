// Data URLs (RFC 2397) that hold an image.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace edgegate {

// Decodes "data:image/...;base64,...". Accepts only the base64 alphabet of RFC 4648 with its
// padding. kInvalidArgument: the URL is not valid; the message has the reason and the position.
// Thread-safe.
Result<std::string> DecodeDataUrl(std::string_view url);

}  // namespace edgegate
