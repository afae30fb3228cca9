// Data URLs (RFC 2397) that hold an image or a video.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// Decodes "data:image/...;base64,...". Accepts only the base64 alphabet of RFC 4648 with its
// padding. kInvalidArgument: the URL is not valid; the message has the reason and the position.
// Thread-safe.
Result<std::string> DecodeDataUrl(std::string_view url);

struct VideoUrlData {
  std::vector<std::string> files;  // one file, or several JPEG files
  bool jpegs = false;
};

// Decodes "data:video/...;base64,...", or base64 without the head of a URL. The data of
// "data:video/jpeg;base64,..." are JPEG files between commas, at most `max_files`. Errors: as
// DecodeDataUrl. Thread-safe.
Result<VideoUrlData> DecodeVideoDataUrl(std::string_view url, int max_files);

}  // namespace edgegate
