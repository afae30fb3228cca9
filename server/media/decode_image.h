// JPEG, PNG and WebP files to pictures, through libjpeg-turbo, libspng and libwebp. Files are
// untrusted: their dimensions are checked before anything is allocated for them, and one that is
// cut short or damaged is an error, not half a picture.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "server/media/image.h"

namespace edgegate {

struct DecodeLimits {
  int64_t max_pixels = 50'000'000;
};

// The picture, upright (the EXIF orientation is applied), 8 bits a channel (16-bit files keep their
// upper 8), transparent parts over white, as transformers' MllamaImageProcessor has it. An
// animated WebP is an error. kInvalidArgument, with what is wrong, for anything that is no such
// picture. Thread-safe.
Result<Image> DecodeImage(std::string_view file, const DecodeLimits& limits);

// The decoders behind it; `orientation` is EXIF's, 1 where there is none.
Result<Image> DecodeJpeg(std::string_view file, const DecodeLimits& limits, int* orientation);
Result<Image> DecodePng(std::string_view file, const DecodeLimits& limits, int* orientation);
Result<Image> DecodeWebp(std::string_view file, const DecodeLimits& limits, int* orientation);

// kInvalidArgument where a file declares no pixels or too many.
Status CheckDimensions(int64_t width, int64_t height, const DecodeLimits& limits);

// [pixels][4] to [pixels][3], over white, in the arithmetic of Pillow's alpha_composite. `rgb` may
// be `rgba`.
void ComposeOverWhite(const uint8_t* rgba, int64_t pixels, uint8_t* rgb);

// The orientation that an EXIF block (TIFF) names, 1 .. 8; 1 where it names none.
int ExifOrientation(std::string_view exif);

// Turns and mirrors the picture as `orientation` says.
Image ApplyOrientation(Image image, int orientation);

}  // namespace edgegate
