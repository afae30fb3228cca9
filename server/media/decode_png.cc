#include <spng.h>

#include <memory>
#include <utility>

#include "server/media/decode_image.h"

namespace edgegate {
namespace {

constexpr size_t kMaxChunk = size_t{4} << 20;  // of text and colour profiles

Status Damaged(int error) {
  return InvalidArgument("the PNG file cannot be read: {}", spng_strerror(error));
}

}  // namespace

Result<Image> DecodePng(std::string_view file, const DecodeLimits& limits, int* orientation) {
  struct Free {
    void operator()(spng_ctx* context) const { spng_ctx_free(context); }
  };
  std::unique_ptr<spng_ctx, Free> png(spng_ctx_new(0));
  if (!png) return ResourceExhausted("not enough memory for a PNG file");
  spng_set_chunk_limits(png.get(), kMaxChunk, kMaxChunk);
  int error = spng_set_png_buffer(png.get(), file.data(), file.size());
  spng_ihdr header{};
  if (error == 0) error = spng_get_ihdr(png.get(), &header);
  if (error != 0) return Damaged(error);
  EG_RETURN_IF_ERROR(CheckDimensions(header.width, header.height, limits));
  const int64_t pixels = int64_t{header.width} * header.height;
  size_t size = 0;
  error = spng_decoded_image_size(png.get(), SPNG_FMT_RGBA8, &size);
  if (error != 0) return Damaged(error);
  std::vector<uint8_t> raw(size);
  error = spng_decode_image(png.get(), raw.data(), raw.size(), SPNG_FMT_RGBA8, SPNG_DECODE_TRNS);
  if (error != 0) return Damaged(error);
  // The picture is whole; what comes behind it may be cut short, and may hold the EXIF block.
  spng_decode_chunks(png.get());
  spng_exif exif{};
  if (spng_get_exif(png.get(), &exif) == 0) {
    *orientation = ExifOrientation({exif.data, exif.length});
  }
  ComposeOverWhite(raw.data(), pixels, raw.data());
  raw.resize(static_cast<size_t>(pixels) * 3);
  return Image{static_cast<int>(header.width), static_cast<int>(header.height), std::move(raw)};
}

}  // namespace edgegate
