// Memory: a few rows and 4 MiB of text and colour profiles; for interlaced files the whole image, 3
// bytes per pixel, or 4 with transparency.

#include <spng.h>

#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "server/media/decode_image.h"

namespace edgegate {
namespace {

constexpr size_t kMaxChunk = size_t{4} << 20;  // bytes of text and colour profiles
// Largest number of raw bytes. Inflating and unfiltering take time for each byte, so files of 16
// bits or with transparency may have fewer pixels.
constexpr int64_t kMaxRawBytes = 160'000'000;
constexpr int64_t kMaxInterlacedPixels = 25'000'000;

Status Damaged(int error) {
  return InvalidArgument("the PNG file cannot be read: {}", spng_strerror(error));
}

class PngReader {
 public:
  PngReader(std::string_view file, const DecodeLimits& limits)
      : rest_(file), limits_(limits), stop_(limits), png_(spng_ctx_new(0)) {
    if (!png_) throw std::bad_alloc();
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  Status ReadHeader();
  int width() const { return static_cast<int>(header_.width); }
  int height() const { return static_cast<int>(header_.height); }
  // Returns the orientation in the EXIF block, if that was read already.
  int Orientation();
  Status ReadRows(RowSink* sink);
  // Reads the chunks after the pixels. They may be damaged or missing, and may have the EXIF block.
  void ReadTrailer() { spng_decode_chunks(png_.get()); }

 private:
  struct Free {
    void operator()(spng_ctx* context) const { spng_ctx_free(context); }
  };

  // spng reads some kilobytes per call.
  static int Read(spng_ctx* /*png*/, void* self, void* out, size_t size) {
    auto& reader = *static_cast<PngReader*>(self);
    if (reader.stop_.After(static_cast<int64_t>(size))) return SPNG_IO_ERROR;
    if (size > reader.rest_.size()) return SPNG_IO_EOF;
    std::memcpy(out, reader.rest_.data(), size);
    reader.rest_.remove_prefix(size);
    return 0;
  }

  Status Failed(int error) const { return stop_.stopped() ? DecodingStopped() : Damaged(error); }
  Status CheckWork() const;
  Status ReadInterlaced(RowSink* sink);
  void Pass(uint8_t* row, RowSink* sink) const {
    if (alpha_) ComposeOverWhite(row, width(), row);
    sink->AddRow(row);
  }

  std::string_view rest_;
  const DecodeLimits& limits_;
  StopCheck stop_;
  std::unique_ptr<spng_ctx, Free> png_;
  spng_ihdr header_{};
  bool alpha_ = false;
  int64_t channels_ = 3;  // of decoded pixels
};

Status PngReader::ReadHeader() {
  spng_set_chunk_limits(png_.get(), kMaxChunk, kMaxChunk);
  int error = spng_set_png_stream(png_.get(), Read, this);
  if (error == 0) error = spng_get_ihdr(png_.get(), &header_);
  if (error != 0) return Failed(error);
  EG_RETURN_IF_ERROR(CheckDimensions(header_.width, header_.height, limits_));
  EG_RETURN_IF_ERROR(CheckWork());
  spng_trns transparency{};
  error = spng_get_trns(png_.get(), &transparency);
  if (error != 0 && error != SPNG_ECHUNKAVAIL) return Failed(error);
  alpha_ = error == 0 || header_.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
           header_.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
  channels_ = alpha_ ? 4 : 3;
  return {};
}

Status PngReader::CheckWork() const {
  constexpr int kChannels[] = {1, 0, 3, 1, 2, 0, 4};
  const int64_t bits = int64_t{kChannels[header_.color_type % 7]} * header_.bit_depth;
  const int64_t bytes = (int64_t{header_.width} * bits + 7) / 8 * header_.height;
  const int64_t pixels = int64_t{header_.width} * header_.height;
  if (header_.interlace_method != SPNG_INTERLACE_NONE && pixels > kMaxInterlacedPixels) {
    return InvalidArgument(
        "the interlaced PNG file is {} x {} pixels: at most {} million are decoded of such a file",
        header_.width, header_.height, kMaxInterlacedPixels / 1'000'000);
  }
  if (bytes <= kMaxRawBytes) return {};
  return InvalidArgument(
      "the PNG file holds {} million bytes of pixels ({} x {}, {} bits each): at most {} million "
      "are decoded",
      bytes / 1'000'000, header_.width, header_.height, bits, kMaxRawBytes / 1'000'000);
}

int PngReader::Orientation() {
  spng_exif exif{};
  if (spng_get_exif(png_.get(), &exif) != 0) return 1;
  return ExifOrientation({exif.data, exif.length});
}

Status PngReader::ReadRows(RowSink* sink) {
  if (header_.interlace_method != SPNG_INTERLACE_NONE) return ReadInterlaced(sink);
  const int format = alpha_ ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8;
  int error =
      spng_decode_image(png_.get(), nullptr, 0, format, SPNG_DECODE_TRNS | SPNG_DECODE_PROGRESSIVE);
  std::vector<uint8_t> row(static_cast<size_t>(width() * channels_));
  while (error == 0) {
    error = spng_decode_row(png_.get(), row.data(), row.size());
    if (error != 0 && error != SPNG_EOI) break;
    Pass(row.data(), sink);
    if (stop_.After(width())) return DecodingStopped();
  }
  return error == SPNG_EOI ? Status() : Failed(error);
}

Status PngReader::ReadInterlaced(RowSink* sink) {
  const int64_t row = width() * channels_;
  EG_RETURN_IF_ERROR(CheckMemory("interlaced PNG", row * height(), limits_));
  const int format = alpha_ ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8;
  const auto pixels =
      std::make_unique_for_overwrite<uint8_t[]>(static_cast<size_t>(row * height()));
  int error =
      spng_decode_image(png_.get(), nullptr, 0, format, SPNG_DECODE_TRNS | SPNG_DECODE_PROGRESSIVE);
  while (error == 0) {
    spng_row_info info{};
    error = spng_get_row_info(png_.get(), &info);
    if (error != 0) break;
    error =
        spng_decode_row(png_.get(), pixels.get() + row * info.row_num, static_cast<size_t>(row));
    if (stop_.After(width())) return DecodingStopped();
  }
  if (error != SPNG_EOI) return Failed(error);
  for (int y = 0; y < height(); ++y) {
    Pass(pixels.get() + row * y, sink);
    if (stop_.After(width())) return DecodingStopped();
  }
  return {};
}

// Sends the rows with `orientation`. 0 is replaced by the orientation in the chunks before the
// pixels. Returns the orientation of the whole file, which the chunks after the pixels may change:
// an EXIF block there is used, and after a damaged chunk no EXIF block is used.
Result<int> DecodeOnce(std::string_view file, const DecodeLimits& limits, int* orientation,
                       RowSink* sink) {
  PngReader reader(file, limits);
  EG_RETURN_IF_ERROR(reader.ReadHeader());
  if (*orientation == 0) *orientation = reader.Orientation();
  sink->Begin(reader.width(), reader.height(), *orientation);
  EG_RETURN_IF_ERROR(reader.ReadRows(sink));
  reader.ReadTrailer();
  return reader.Orientation();
}

}  // namespace

Status DecodePng(std::string_view file, const DecodeLimits& limits, RowSink* sink) {
  int used = 0;  // the first bytes of the file decide
  EG_ASSIGN_OR_RETURN(int orientation, DecodeOnce(file, limits, &used, sink));
  if (orientation != used) {
    used = orientation;
    EG_ASSIGN_OR_RETURN(orientation, DecodeOnce(file, limits, &used, sink));
  }
  return {};
}

}  // namespace edgegate
