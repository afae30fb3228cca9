// Uses any bytes as an image file and as an EXIF block. The file's first bytes select the decoder.
// It decodes the image completely, and again row by row. golden/images/good and hostile belong to
// the corpus too.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/image/prepare_image.h"
#include "server/media/decode_image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgegate;
  constexpr int kSide = 28;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const DecodeLimits limits{.max_pixels = 100'000, .max_memory = int64_t{4} << 20};
  const auto image = DecodeImage(file, limits);
  const auto prepared = DecodeAndPrepare(file, kSide, limits);
  if (image.ok() != prepared.ok()) std::abort();
  if (image.ok()) {
    const auto bytes = size_t{3} * image->width * image->height;
    if (image->width < 1 || image->height < 1 || bytes > size_t{3} * 100'000 ||
        image->rgb.size() != bytes ||
        *prepared != PrepareImage(image->rgb.data(), image->width, image->height, kSide)) {
      std::abort();
    }
  }
  const int orientation = ExifOrientation(file);
  if (orientation < 1 || orientation > 8) std::abort();
  return 0;
}
