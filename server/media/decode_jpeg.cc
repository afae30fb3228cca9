// Memory: some rows, and up to 64 KiB for each APP1 segment. A file with several scans, such as a
// progressive one, also needs all coefficients of the image, 2 bytes each.

#include <cstddef>
#include <cstdio>
// jpeglib.h needs <cstdio> before it. jerror.h needs jpeglib.h before it.
#include <jpeglib.h>
//
#include <jerror.h>

#include <csetjmp>
#include <memory>
#include <string>
#include <vector>

#include "server/media/decode_image.h"

namespace edgegate {
namespace {

constexpr int kMaxScans = 200;
// Largest number of samples in all scans together. Without it, a small file could have any number
// of scans. The progressive file of a photo has 4 to 6 scans for each component.
constexpr int64_t kMaxSamples = 500'000'000;
// The same for arithmetic coding, which takes many decisions for each sample.
constexpr int64_t kMaxArithmeticSamples = 6'000'000;
constexpr std::string_view kExif("Exif\0\0", 6);

// State that libjpeg's callbacks share. libjpeg reports errors by longjmp. No frame between longjmp
// and setjmp may have a destructor.
struct Reader {
  explicit Reader(const DecodeLimits& limits) : stop(limits) {}
  jpeg_decompress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  jmp_buf failed;
  char message[JMSG_LENGTH_MAX];
  StopCheck stop;
};

[[noreturn]] void Leave(j_common_ptr jpeg) {
  auto* reader = static_cast<Reader*>(jpeg->client_data);
  jpeg->err->format_message(jpeg, reader->message);
  longjmp(reader->failed, 1);
}

// Makes warnings about missing or damaged data an error. libjpeg would continue and fill in grey.
void Warn(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  const int code = jpeg->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE ||
      code == JWRN_ARITH_BAD_CODE) {
    Leave(jpeg);
  }
}

// Called for each row of MCUs, in each scan.
void Progress(j_common_ptr common) {
  auto* jpeg = reinterpret_cast<j_decompress_ptr>(common);
  auto* reader = static_cast<Reader*>(common->client_data);
  if (jpeg->input_scan_number > kMaxScans ||
      reader->stop.After(int64_t{8} * jpeg->max_v_samp_factor * jpeg->image_width)) {
    std::snprintf(reader->message, sizeof reader->message,
                  "it has too many scans: at most %d are decoded", kMaxScans);
    longjmp(reader->failed, 1);
  }
}

bool IsCmyk(const jpeg_decompress_struct& jpeg) {
  return jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
}

int OrientationOf(const jpeg_decompress_struct& jpeg) {
  for (jpeg_saved_marker_ptr m = jpeg.marker_list; m != nullptr; m = m->next) {
    const std::string_view data(reinterpret_cast<const char*>(m->data), m->data_length);
    if (data.starts_with(kExif)) return ExifOrientation(data.substr(kExif.size()));
  }
  return 1;
}

// False: libjpeg failed, and reader->message has the reason.
bool ReadHeader(Reader* reader, std::string_view file) {
  if (setjmp(reader->failed)) return false;
  jpeg_decompress_struct& jpeg = reader->jpeg;
  jpeg_create_decompress(&jpeg);
  jpeg.progress = &reader->progress;
  jpeg_save_markers(&jpeg, JPEG_APP0 + 1, 0xffff);
  jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = IsCmyk(jpeg) ? JCS_CMYK : JCS_RGB;
  return true;
}

// Number of samples of a component, in whole blocks.
int64_t SamplesOf(const jpeg_component_info& component) {
  return int64_t{DCTSIZE2} * component.width_in_blocks * component.height_in_blocks;
}

// Number of samples of the component that a scan header names.
int64_t SamplesOf(const jpeg_decompress_struct& jpeg, uint8_t id) {
  for (int i = 0; i < jpeg.num_components; ++i) {
    if (jpeg.comp_info[i].component_id == id) return SamplesOf(jpeg.comp_info[i]);
  }
  return 0;
}

struct Scans {
  int64_t count = 0;
  int64_t samples = 0;  // over all scans
};

// Finds the scan headers without decoding. Entropy-coded data holds 0xff only before 0 and before
// restart markers.
Scans FindScans(const jpeg_decompress_struct& jpeg, std::string_view file) {
  Scans scans;
  auto byte = [&](size_t at) { return at < file.size() ? static_cast<uint8_t>(file[at]) : 0; };
  for (size_t at = 2; (at = file.find('\xff', at)) != std::string_view::npos;) {
    const int marker = byte(++at);
    if (marker == 0xff || marker <= 1 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    if (marker == 0xd9) break;
    if (marker == 0xda) {
      ++scans.count;
      const int components = byte(at + 3);
      for (int i = 0; i < components; ++i) {
        scans.samples += SamplesOf(jpeg, static_cast<uint8_t>(byte(at + 4 + size_t{2} * i)));
      }
    }
    at += size_t{1} + (byte(at + 1) << 8) + byte(at + 2);
  }
  return scans;
}

// Refuses a file that would take too long or too much memory.
Status CheckWork(const jpeg_decompress_struct& jpeg, std::string_view file,
                 const DecodeLimits& limits) {
  const Scans scans = FindScans(jpeg, file);
  const int64_t most = jpeg.arith_code ? kMaxArithmeticSamples : kMaxSamples;
  if (scans.samples > most) {
    return InvalidArgument(
        "the JPEG file has {} scan(s) of {} million samples in total: at most {} million are "
        "decoded{}",
        scans.count, scans.samples / 1'000'000, most / 1'000'000,
        jpeg.arith_code ? " of an arithmetic-coded file" : "");
  }
  if (!jpeg_has_multiple_scans(const_cast<j_decompress_ptr>(&jpeg))) return {};
  int64_t bytes = 0;
  for (int i = 0; i < jpeg.num_components; ++i) bytes += SamplesOf(jpeg.comp_info[i]) * 2;
  return CheckMemory(jpeg.progressive_mode ? "progressive JPEG" : "multi-scan JPEG", bytes, limits);
}

// Converts CMYK to RGB. Adobe's files store inverted values, and Pillow treats all files as
// Adobe's. `rgb` may be `cmyk`.
void CmykToRgb(const uint8_t* cmyk, size_t pixels, uint8_t* rgb) {
  for (size_t i = 0; i < pixels; ++i) {
    const int white = cmyk[i * 4 + 3];
    for (size_t c = 0; c < 3; ++c) {
      const int product = (255 - cmyk[i * 4 + c]) * white + 128;
      rgb[i * 3 + c] = static_cast<uint8_t>(white - (((product >> 8) + product) >> 8));
    }
  }
}

// `row` has room for [width][3], or [width][4] for CMYK. False: as ReadHeader.
bool ReadRows(Reader* reader, uint8_t* row, RowSink* sink) {
  if (setjmp(reader->failed)) return false;
  jpeg_decompress_struct& jpeg = reader->jpeg;
  jpeg_start_decompress(&jpeg);
  const bool cmyk = IsCmyk(jpeg);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW line = row;
    jpeg_read_scanlines(&jpeg, &line, 1);
    if (cmyk) CmykToRgb(row, jpeg.output_width, row);
    sink->AddRow(row);
    if (reader->stop.After(jpeg.output_width)) return false;
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

Status Failed(const Reader& reader) {
  if (reader.stop.stopped()) return DecodingStopped();
  return InvalidArgument("the JPEG file cannot be read: {}", std::string(reader.message));
}

}  // namespace

Status DecodeJpeg(std::string_view file, const DecodeLimits& limits, RowSink* sink) {
  auto reader = std::make_unique<Reader>(limits);
  reader->jpeg.err = jpeg_std_error(&reader->errors);
  reader->jpeg.client_data = reader.get();
  reader->errors.error_exit = Leave;
  reader->errors.emit_message = Warn;
  reader->progress.progress_monitor = Progress;
  struct Destroy {
    Reader* r;
    ~Destroy() { jpeg_destroy_decompress(&r->jpeg); }
  } destroy{reader.get()};
  if (!ReadHeader(reader.get(), file)) return Failed(*reader);
  const jpeg_decompress_struct& jpeg = reader->jpeg;
  EG_RETURN_IF_ERROR(CheckDimensions(jpeg.image_width, jpeg.image_height, limits));
  EG_RETURN_IF_ERROR(CheckWork(jpeg, file, limits));
  sink->Begin(static_cast<int>(jpeg.image_width), static_cast<int>(jpeg.image_height),
              OrientationOf(jpeg));
  std::vector<uint8_t> row(size_t{jpeg.image_width} * (IsCmyk(jpeg) ? 4 : 3));
  if (!ReadRows(reader.get(), row.data(), sink)) return Failed(*reader);
  return {};
}

}  // namespace edgegate
