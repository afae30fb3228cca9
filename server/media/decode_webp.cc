#include <webp/decode.h>

#include <utility>

#include "server/media/decode_image.h"

namespace edgegate {
namespace {

// The content of the EXIF chunk; empty: there is none. Chunks: four letters, a size, the content,
// padded to an even length (RFC 9649).
std::string_view ExifChunk(std::string_view file) {
  for (size_t at = 12; file.size() - at >= 8;) {
    size_t size = 0;
    for (size_t i = 0; i < 4; ++i) {
      size |= size_t{static_cast<uint8_t>(file[at + 4 + i])} << (8 * i);
    }
    const std::string_view rest = file.substr(at + 8);
    if (size > rest.size()) return {};
    if (file.substr(at, 4) == "EXIF") return rest.substr(0, size);
    if (size + size % 2 > rest.size()) return {};
    at += 8 + size + size % 2;
  }
  return {};
}

}  // namespace

Result<Image> DecodeWebp(std::string_view file, const DecodeLimits& limits, int* orientation) {
  const auto* data = reinterpret_cast<const uint8_t*>(file.data());
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, file.size(), &features) != VP8_STATUS_OK) {
    return InvalidArgument("the WebP file cannot be read: its header is damaged");
  }
  if (features.has_animation) return InvalidArgument("animated WebP files are not supported");
  EG_RETURN_IF_ERROR(CheckDimensions(features.width, features.height, limits));
  const auto pixels = int64_t{features.width} * features.height;
  const int channels = features.has_alpha ? 4 : 3;
  std::vector<uint8_t> raw(static_cast<size_t>(pixels) * channels);
  const auto decode = features.has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (!decode(data, file.size(), raw.data(), raw.size(), features.width * channels)) {
    return InvalidArgument("the WebP file cannot be read: it is damaged or cut short");
  }
  if (features.has_alpha) {
    ComposeOverWhite(raw.data(), pixels, raw.data());
    raw.resize(static_cast<size_t>(pixels) * 3);
  }
  std::string_view exif = ExifChunk(file);
  if (exif.starts_with(std::string_view("Exif\0\0", 6))) exif.remove_prefix(6);
  *orientation = ExifOrientation(exif);
  return Image{features.width, features.height, std::move(raw)};
}

}  // namespace edgegate
