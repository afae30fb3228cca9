#include "server/media/decode_image.h"

#include <new>
#include <optional>
#include <utility>

#include "engine/image/row_preparer.h"

namespace edgegate {
namespace {

// Returns the name of the format of a file that no decoder accepts, for the error message.
const char* Recognize(std::string_view file) {
  auto at = [&](size_t offset, std::string_view magic) {
    return file.size() >= offset && file.substr(offset).starts_with(magic);
  };
  if (at(0, "GIF8")) return "a GIF file";
  if (at(0, "BM")) return "a BMP file";
  if (at(0, std::string_view("II*\0", 4)) || at(0, std::string_view("MM\0*", 4))) {
    return "a TIFF file";
  }
  if (at(4, "ftypavif") || at(4, "ftypavis")) return "an AVIF file";
  if (at(4, "ftyp")) return "a HEIC file or a video";
  if (at(0, "<svg") || at(0, "<?xml")) return "an SVG file";
  if (at(0, "<!DOCTYPE") || at(0, "<html")) return "an HTML page";
  return file.empty() ? "empty" : "of an unknown type";
}

struct WholeImage : RowSink {
  void Begin(int width, int height, int new_orientation) override {
    image = {width, height, {}};
    image.rgb.reserve(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
    orientation = new_orientation;
  }
  void AddRow(const uint8_t* rgb) override {
    image.rgb.insert(image.rgb.end(), rgb, rgb + int64_t{image.width} * 3);
  }
  Image image;
  int orientation = 1;
};

struct PreparedImage : RowSink {
  explicit PreparedImage(int side) : size(side) {}
  void Begin(int width, int height, int orientation) override {
    rows.emplace(width, height, orientation, size);
  }
  void AddRow(const uint8_t* rgb) override { rows->AddRow(rgb); }
  const int size;
  std::optional<RowPreparer> rows;
};

}  // namespace

Status CheckDimensions(int64_t width, int64_t height, const DecodeLimits& limits) {
  if (width < 1 || height < 1 || width > 65535 || height > 65535 ||
      width * height > limits.max_pixels) {
    return InvalidArgument("the image is {} x {} pixels: at most {} million are decoded", width,
                           height, limits.max_pixels / 1'000'000);
  }
  return {};
}

Status CheckMemory(std::string_view kind, int64_t bytes, const DecodeLimits& limits) {
  if (bytes <= limits.max_memory) return {};
  return InvalidArgument("decoding the {} file takes {} MiB: at most {} MiB are allowed", kind,
                         (bytes + (1 << 20) - 1) >> 20, limits.max_memory >> 20);
}

Status DecodingStopped() { return Cancelled("the decoding of the image was stopped"); }

void ComposeOverWhite(const uint8_t* rgba, int64_t pixels, uint8_t* rgb) {
  for (int64_t i = 0; i < pixels; ++i, rgba += 4, rgb += 3) {
    const int alpha = rgba[3];
    if (alpha == 255) {
      for (int channel = 0; channel < 3; ++channel) rgb[channel] = rgba[channel];
      continue;
    }
    for (int channel = 0; channel < 3; ++channel) {
      // Computes Pillow's ImagingAlphaComposite over opaque white: the sums have 7 extra fraction
      // bits.
      const int sum = (rgba[channel] * alpha + 255 * (255 - alpha)) * 128 + (128 << 7);
      rgb[channel] = static_cast<uint8_t>(((sum >> 8) + sum) >> 8 >> 7);
    }
  }
}

// Reads a TIFF 6.0 block: a header, then a directory of 12-byte entries. Tag 0x0112, a 16-bit
// number, is the orientation.
int ExifOrientation(std::string_view exif) {
  const bool big = exif.starts_with("MM");
  if (exif.size() < 8 || (!big && !exif.starts_with("II"))) return 1;
  auto number = [&](size_t at, int bytes) {
    uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      const int shift = 8 * (big ? bytes - 1 - i : i);
      value |= uint32_t{static_cast<uint8_t>(exif[at + static_cast<size_t>(i)])} << shift;
    }
    return value;
  };
  const size_t directory = number(4, 4);
  if (directory > exif.size() || exif.size() - directory < 2) return 1;
  const size_t entries = number(directory, 2);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + 12 * i;
    if (entry > exif.size() || exif.size() - entry < 12) return 1;
    if (number(entry, 2) != 0x0112 || number(entry + 2, 2) != 3) continue;
    const uint32_t orientation = number(entry + 8, 2);
    return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
  }
  return 1;
}

Image ApplyOrientation(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool transposed = orientation >= 5;
  Image out{transposed ? image.height : image.width, transposed ? image.width : image.height, {}};
  out.rgb.resize(image.rgb.size());
  // Corner of the stored pixels at which the upright image starts (EXIF 2.3, table 6).
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      int from_x = transposed ? y : x, from_y = transposed ? x : y;
      if (flip_x) from_x = image.width - 1 - from_x;
      if (flip_y) from_y = image.height - 1 - from_y;
      const size_t from = (static_cast<size_t>(from_y) * image.width + from_x) * 3;
      const size_t to = (static_cast<size_t>(y) * out.width + x) * 3;
      for (size_t c = 0; c < 3; ++c) out.rgb[to + c] = image.rgb[from + c];
    }
  }
  return out;
}

Status DecodeRows(std::string_view file, const DecodeLimits& limits, RowSink* sink) {
  try {
    if (file.starts_with("\xff\xd8\xff")) return DecodeJpeg(file, limits, sink);
    if (file.starts_with("\x89PNG\r\n\x1a\n")) return DecodePng(file, limits, sink);
    if (file.starts_with("RIFF") && file.size() >= 12 && file.substr(8, 4) == "WEBP") {
      return DecodeWebp(file, limits, sink);
    }
  } catch (const std::bad_alloc&) {
    return ResourceExhausted("there is not enough memory to decode the image");
  }
  return InvalidArgument("the image is {}: JPEG, PNG and WebP files are supported",
                         Recognize(file));
}

Result<Image> DecodeImage(std::string_view file, const DecodeLimits& limits) {
  WholeImage whole;
  EG_RETURN_IF_ERROR(DecodeRows(file, limits, &whole));
  return ApplyOrientation(std::move(whole.image), whole.orientation);
}

Result<std::vector<uint8_t>> DecodeAndPrepare(std::string_view file, int size,
                                              const DecodeLimits& limits) {
  PreparedImage prepared(size);
  EG_RETURN_IF_ERROR(DecodeRows(file, limits, &prepared));
  return std::move(*prepared.rows).Finish();
}

}  // namespace edgegate
