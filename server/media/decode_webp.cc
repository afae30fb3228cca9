// Memory: see BytesOf. libwebp writes whole images. For large opaque lossy files, rows are passed
// to the sink and their memory is released while the next rows are decoded.

#include <sys/mman.h>
#include <webp/decode.h>

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "server/media/decode_image.h"
#include "server/media/webp_code_groups.h"

namespace edgegate {
namespace {

// Returns the contents of all chunks with that name. A chunk has four letters, a size and the
// content, padded to an even length (RFC 9649).
std::vector<std::string_view> Chunks(std::string_view file, std::string_view name) {
  std::vector<std::string_view> found;
  for (size_t at = 12; file.size() - at >= 8;) {
    size_t size = 0;
    for (size_t i = 0; i < 4; ++i) {
      size |= size_t{static_cast<uint8_t>(file[at + 4 + i])} << (8 * i);
    }
    const std::string_view rest = file.substr(at + 8);
    if (size > rest.size()) break;
    if (file.substr(at, 4) == name) found.push_back(rest.substr(0, size));
    if (size + size % 2 > rest.size()) break;
    at += 8 + size + size % 2;
  }
  return found;
}

int OrientationOf(std::string_view file) {
  const auto chunks = Chunks(file, "EXIF");
  if (chunks.empty()) return 1;
  std::string_view exif = chunks[0];
  if (exif.starts_with(std::string_view("Exif\0\0", 6))) exif.remove_prefix(6);
  return ExifOrientation(exif);
}

Status Damaged() {
  return InvalidArgument("the WebP file cannot be read: it is damaged or cut short");
}

// Returns the memory that libwebp allocates, output included.
Result<int64_t> BytesOf(const WebPBitstreamFeatures& features, std::string_view file) {
  const int64_t pixels = int64_t{features.width} * features.height;
  const bool lossless = features.format == 2;
  int64_t per_pixel = features.has_alpha ? 4 : 3;
  int64_t tables = 0;
  const auto add = [&](std::string_view data) {
    per_pixel += 4;
    const auto bytes = WebpCodeTableBytes(data, features.width, features.height);
    tables = std::max(tables, bytes.value_or(0));
    return bytes.has_value();
  };
  if (lossless) {
    const auto chunks = Chunks(file, "VP8L");
    if (chunks.empty()) return Damaged();
    // libwebp may read past the end of the chunk.
    const auto data = file.substr(static_cast<size_t>(chunks[0].data() - file.data()));
    if (data.size() < 5 || !add(data.substr(5))) return Damaged();
  } else if (features.has_alpha) {
    ++per_pixel;  // the plane of transparency, which may be a lossless image itself
    for (std::string_view alpha : Chunks(file, "ALPH")) {
      if (alpha.empty() || (alpha[0] & 3) == 0) continue;
      if (!add(alpha.substr(1))) return Damaged();
    }
  }
  return pixels * per_pixel + tables;
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
  // Releases the first `bytes` bytes. Their content is lost.
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

// Largest opaque lossy image that is decoded in one call: 5 megapixels, which take about 0.1 s.
constexpr size_t kMaxWholeBytes = size_t{16} << 20;

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

  // If a file is passed in pieces, libwebp parses the header of a lossless file again for each
  // piece, and treats some damaged files differently. So only large files that are lossy and opaque
  // are passed in pieces.
  Status Read() {
    const bool pieces =
        features_.format != 2 && !features_.has_alpha && pages_.size() > kMaxWholeBytes;
    return pieces ? ReadInPieces() : ReadWhole();
  }

 private:
  int64_t Stride() const { return int64_t{features_.width} * channels_; }

  Status ReadWhole() {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
      return Internal("another version of libwebp was built with");
    config.output.colorspace = features_.has_alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = {pages_.data(), static_cast<int>(Stride()), pages_.size()};
    const VP8StatusCode status = WebPDecode(Data(), file_.size(), &config);
    if (status != VP8_STATUS_OK) return Damaged();
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
      if (status != VP8_STATUS_OK && status != VP8_STATUS_SUSPENDED) return Damaged();
      int rows = 0;
      if (WebPIDecGetRGB(decoder.get(), &rows, nullptr, nullptr, nullptr) == nullptr) rows = 0;
      EG_RETURN_IF_ERROR(PassRows(rows));
      if (stop_.After(0)) return DecodingStopped();
      if (status == VP8_STATUS_OK && next_row_ == features_.height) return {};
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
  EG_ASSIGN_OR_RETURN(const int64_t bytes, BytesOf(features, file));
  EG_RETURN_IF_ERROR(CheckMemory(features.format == 2 ? "lossless WebP" : "WebP", bytes, limits));
  sink->Begin(features.width, features.height, OrientationOf(file));
  return WebpReader(file, features, limits, sink).Read();
}

}  // namespace edgegate
