// Decodes JPEG, PNG and WebP files through libjpeg-turbo, libspng and libwebp. Files are untrusted:
// dimensions, memory and work are checked before anything is allocated or decoded. A file that is
// cut short or damaged is an error. All functions are thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "server/media/image.h"

namespace edgegate {

struct DecodeLimits {
  int64_t max_pixels = 50'000'000;
  // Bytes that a decoder may allocate beside the file and the result. Computed from the header and
  // checked before the allocation. Decoders of rows take far less (decode_jpeg.cc and its
  // neighbours say which files need how much).
  int64_t max_memory = int64_t{160} << 20;
  // Called at least about every 20 ms of work. If it returns true, the work ends with kCancelled.
  // May be empty. libwebp is not interrupted while it decodes a file that is lossless, has
  // transparency, or has up to 5 megapixels.
  std::function<bool()> stop = nullptr;
};

// Decodes the image and prepares it for a model that takes `size` x `size` pixels. The result
// equals that of DecodeImage() followed by PrepareImage(). If the format allows it, the whole image
// is never in memory. Returns [size][size][3]. kInvalidArgument: the file is not a supported image,
// is damaged, or exceeds a limit; the message names the limit. kResourceExhausted: an allocation
// failed. kCancelled: `stop` returned true.
Result<std::vector<uint8_t>> DecodeAndPrepare(std::string_view file, int size,
                                              const DecodeLimits& limits);

// Decodes the whole image. Applies the EXIF orientation. Keeps the upper 8 bits of 16-bit channels.
// Puts transparent parts over white, as transformers' MllamaImageProcessor does. An animated WebP
// is an error. Errors: as DecodeAndPrepare.
Result<Image> DecodeImage(std::string_view file, const DecodeLimits& limits);

// Decodes into `sink`. The sink has all rows exactly when the result is ok. Errors: as
// DecodeAndPrepare.
Status DecodeRows(std::string_view file, const DecodeLimits& limits, RowSink* sink);

// Decode one format each. Arguments and errors: as DecodeRows.
Status DecodeJpeg(std::string_view file, const DecodeLimits& limits, RowSink* sink);
Status DecodePng(std::string_view file, const DecodeLimits& limits, RowSink* sink);
Status DecodeWebp(std::string_view file, const DecodeLimits& limits, RowSink* sink);

// kInvalidArgument if the dimensions are zero, above 65,535 or above limits.max_pixels.
Status CheckDimensions(int64_t width, int64_t height, const DecodeLimits& limits);

// kInvalidArgument if `bytes` exceeds limits.max_memory. `kind`: the kind of the file, for the
// message.
Status CheckMemory(std::string_view kind, int64_t bytes, const DecodeLimits& limits);

// Returns the status of a decoding that `stop` ended.
Status DecodingStopped();

// Calls limits.stop after each 128 Ki pixels of work.
class StopCheck {
 public:
  explicit StopCheck(const DecodeLimits& limits) : stop_(limits.stop) {}
  // Adds `pixels` of work. Returns true if the work must stop; all later calls then return true
  // too.
  bool After(int64_t pixels) {
    pixels_ += pixels;
    if (pixels_ >= kInterval) {
      pixels_ = 0;
      stopped_ = stopped_ || (stop_ && stop_());
    }
    return stopped_;
  }
  bool stopped() const { return stopped_; }

 private:
  static constexpr int64_t kInterval = int64_t{128} << 10;
  const std::function<bool()>& stop_;
  int64_t pixels_ = 0;
  bool stopped_ = false;
};

// Converts [pixels][4] to [pixels][3] over white, with the arithmetic of Pillow's alpha_composite.
// `rgb` may be `rgba`.
void ComposeOverWhite(const uint8_t* rgba, int64_t pixels, uint8_t* rgb);

// Returns the orientation in an EXIF block (TIFF), 1 .. 8. 1 if there is none.
int ExifOrientation(std::string_view exif);

// Rotates and mirrors the image as `orientation` says.
Image ApplyOrientation(Image image, int orientation);

}  // namespace edgegate
