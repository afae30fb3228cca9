// Memory: see BytesPerPixel. libwebp writes whole images. Rows of opaque lossy files are passed on,
// and their memory is given back, while the next ones are decoded.

#include <sys/mman.h>
#include <webp/decode.h>

#include <algorithm>
#include <memory>
#include <new>

#include "server/media/decode_image.h"

namespace edgegate {
namespace {

// The content of the first chunk of that name; empty: there is none. Chunks: four letters, a size,
// the content, padded to an even length (RFC 9649).
std::string_view Chunk(std::string_view file, std::string_view name) {
  for (size_t at = 12; file.size() - at >= 8;) {
    size_t size = 0;
    for (size_t i = 0; i < 4; ++i) {
      size |= size_t{static_cast<uint8_t>(file[at + 4 + i])} << (8 * i);
    }
    const std::string_view rest = file.substr(at + 8);
    if (size > rest.size()) return {};
    if (file.substr(at, 4) == name) return rest.substr(0, size);
    if (size + size % 2 > rest.size()) return {};
    at += 8 + size + size % 2;
  }
  return {};
}

// Whether a lossy file's transparency is compressed: the first byte of the ALPH chunk.
bool HasCompressedAlpha(std::string_view file) {
  const std::string_view chunk = Chunk(file, "ALPH");
  return !chunk.empty() && (chunk[0] & 3) != 0;
}

// What libwebp allocates, and the output, for each pixel.
int64_t BytesPerPixel(const WebPBitstreamFeatures& features, std::string_view file) {
  const int output = features.has_alpha ? 4 : 3;
  if (features.format == 2) return output + 4;  // lossless: 32 bits per pixel
  if (!features.has_alpha) return output;
  return output + 1 + (HasCompressedAlpha(file) ? 4 : 0);  // the plane is a lossless image itself
}

// Memory for the whole image, page-aligned, that can be given back from the front.
class Pages {
 public:
  explicit Pages(size_t size) : size_(size) {
    void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<uint8_t*>(data);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() { ::munmap(data_, size_); }
  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  // The content of the first `bytes` bytes is lost.
  void Release(size_t bytes) {
    constexpr size_t kStep = size_t{1} << 20;
    const size_t end = bytes / kStep * kStep;
    if (end > released_) ::madvise(data_ + released_, end - released_, MADV_DONTNEED);
    released_ = std::max(released_, end);
  }

 private:
  uint8_t* data_ = nullptr;
  const size_t size_;
  size_t released_ = 0;
};

class WebpReader {
 public:
  WebpReader(std::string_view file, const WebPBitstreamFeatures& features,
             const DecodeLimits& limits, RowSink* sink)
      : file_(file),
        features_(features),
        channels_(features.has_alpha ? 4 : 3),
        pages_(static_cast<size_t>(Stride()) * static_cast<size_t>(features.height)),
        stop_(limits),
        sink_(sink) {}

  // In pieces, libwebp reads the header of a lossless file again with each piece, and overlooks
  // damage in the transparency of a lossy one: it gets these files whole.
  Status Read() {
    return features_.format == 2 || features_.has_alpha ? ReadWhole() : ReadInPieces();
  }

 private:
  int64_t Stride() const { return int64_t{features_.width} * channels_; }

  Status ReadWhole() {
    const auto decode = features_.has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
    if (!decode(Data(), file_.size(), pages_.data(), pages_.size(), static_cast<int>(Stride()))) {
      return Damaged();
    }
    return PassRows(features_.height);
  }

  Status ReadInPieces() {
    struct Delete {
      void operator()(WebPIDecoder* decoder) const { WebPIDelete(decoder); }
    };
    const std::unique_ptr<WebPIDecoder, Delete> decoder(
        WebPINewRGB(MODE_RGB, pages_.data(), pages_.size(), static_cast<int>(Stride())));
    if (!decoder) throw std::bad_alloc();
    constexpr size_t kPiece = size_t{32} << 10;
    for (size_t size = 0; size < file_.size();) {
      size = std::min(size + kPiece, file_.size());
      const VP8StatusCode status = WebPIUpdate(decoder.get(), Data(), size);
      if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
      if (status != VP8_STATUS_OK && status != VP8_STATUS_SUSPENDED) return Damaged();
      int rows = 0;
      if (WebPIDecGetRGB(decoder.get(), &rows, nullptr, nullptr, nullptr) == nullptr) rows = 0;
      EG_RETURN_IF_ERROR(PassRows(rows));
      if (stop_.After(0)) return DecodingStopped();
      if (status == VP8_STATUS_OK) return next_row_ == features_.height ? Status() : Damaged();
    }
    return Damaged();
  }

  // Passes the rows up to `end` to the sink.
  Status PassRows(int end) {
    for (; next_row_ < end; ++next_row_) {
      uint8_t* row = pages_.data() + Stride() * next_row_;
      if (features_.has_alpha) ComposeOverWhite(row, features_.width, row);
      sink_->AddRow(row);
      if (stop_.After(features_.width)) return DecodingStopped();
      pages_.Release(static_cast<size_t>(Stride() * next_row_));
    }
    return {};
  }

  const uint8_t* Data() const { return reinterpret_cast<const uint8_t*>(file_.data()); }
  static Status Damaged() {
    return InvalidArgument("the WebP file cannot be read: it is damaged or cut short");
  }

  const std::string_view file_;
  const WebPBitstreamFeatures& features_;
  const int channels_;
  Pages pages_;
  StopCheck stop_;
  RowSink* const sink_;
  int next_row_ = 0;
};

}  // namespace

Status DecodeWebp(std::string_view file, const DecodeLimits& limits, RowSink* sink) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(reinterpret_cast<const uint8_t*>(file.data()), file.size(), &features) !=
      VP8_STATUS_OK) {
    return InvalidArgument("the WebP file cannot be read: its header is damaged");
  }
  if (features.has_animation) return InvalidArgument("animated WebP files are not supported");
  EG_RETURN_IF_ERROR(CheckDimensions(features.width, features.height, limits));
  const int64_t pixels = int64_t{features.width} * features.height;
  EG_RETURN_IF_ERROR(CheckMemory(features.format == 2 ? "lossless WebP" : "WebP",
                                 pixels * BytesPerPixel(features, file), limits));
  std::string_view exif = Chunk(file, "EXIF");
  if (exif.starts_with(std::string_view("Exif\0\0", 6))) exif.remove_prefix(6);
  sink->Begin(features.width, features.height, ExifOrientation(exif));
  return WebpReader(file, features, limits, sink).Read();
}

}  // namespace edgegate
