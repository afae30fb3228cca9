// Any bytes as a picture's file, through whichever decoder its beginning names, and as an EXIF
// block. golden/pictures/good and hostile are more of a corpus.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/media/decode_image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgegate;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const auto image = DecodeImage(file, {.max_pixels = 100'000});
  if (image.ok() &&
      (image->width < 1 || image->height < 1 || int64_t{image->width} * image->height > 100'000 ||
       image->rgb.size() != size_t{3} * image->width * image->height)) {
    std::abort();
  }
  const int orientation = ExifOrientation(file);
  if (orientation < 1 || orientation > 8) std::abort();
  return 0;
}
