#include <cstddef>
#include <cstdio>
// jpeglib.h leaves these to its user, and jerror.h needs it.
#include <jpeglib.h>
//
#include <jerror.h>

#include <csetjmp>
#include <cstring>
#include <memory>
#include <string>

#include "server/media/decode_image.h"

namespace edgegate {
namespace {

constexpr int kMaxScans = 200;  // a progressive file may repeat itself to no end
constexpr std::string_view kExif("Exif\0\0", 6);

// What libjpeg's callbacks share. libjpeg leaves by longjmp: nothing between it and setjmp may have
// a destructor.
struct Reader {
  jpeg_decompress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  jmp_buf failed;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void Leave(j_common_ptr jpeg) {
  auto* reader = static_cast<Reader*>(jpeg->client_data);
  jpeg->err->format_message(jpeg, reader->message);
  longjmp(reader->failed, 1);
}

// libjpeg goes on after these, filling in grey.
void Warn(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  const int code = jpeg->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE ||
      code == JWRN_ARITH_BAD_CODE) {
    Leave(jpeg);
  }
}

void CountScans(j_common_ptr jpeg) {
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMaxScans) return;
  auto* reader = static_cast<Reader*>(jpeg->client_data);
  std::strcpy(reader->message, "too many scans");
  longjmp(reader->failed, 1);
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

// False where libjpeg failed: reader->message says why.
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

// `out`: [height][width][3], or [4] for CMYK.
bool ReadPixels(Reader* reader, uint8_t* out) {
  if (setjmp(reader->failed)) return false;
  jpeg_decompress_struct& jpeg = reader->jpeg;
  jpeg_start_decompress(&jpeg);
  const size_t row = size_t{jpeg.output_width} * static_cast<size_t>(jpeg.output_components);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW line = out + row * jpeg.output_scanline;
    jpeg_read_scanlines(&jpeg, &line, 1);
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

// Adobe's files are inverted, and Pillow takes all for Adobe's.
void CmykToRgb(const std::vector<uint8_t>& cmyk, std::vector<uint8_t>* rgb) {
  for (size_t i = 0; i < cmyk.size() / 4; ++i) {
    const int white = cmyk[i * 4 + 3];
    for (size_t c = 0; c < 3; ++c) {
      const int product = (255 - cmyk[i * 4 + c]) * white + 128;
      (*rgb)[i * 3 + c] = static_cast<uint8_t>(white - (((product >> 8) + product) >> 8));
    }
  }
}

Status Damaged(const Reader& reader) {
  return InvalidArgument("the JPEG file cannot be read: {}", std::string(reader.message));
}

}  // namespace

Result<Image> DecodeJpeg(std::string_view file, const DecodeLimits& limits, int* orientation) {
  auto reader = std::make_unique<Reader>();
  reader->jpeg.err = jpeg_std_error(&reader->errors);
  reader->jpeg.client_data = reader.get();
  reader->errors.error_exit = Leave;
  reader->errors.emit_message = Warn;
  reader->progress.progress_monitor = CountScans;
  struct Destroy {
    Reader* r;
    ~Destroy() { jpeg_destroy_decompress(&r->jpeg); }
  } destroy{reader.get()};
  if (!ReadHeader(reader.get(), file)) return Damaged(*reader);
  const jpeg_decompress_struct& jpeg = reader->jpeg;
  *orientation = OrientationOf(jpeg);  // libjpeg frees the markers at the picture's end
  EG_RETURN_IF_ERROR(CheckDimensions(jpeg.image_width, jpeg.image_height, limits));
  Image image{static_cast<int>(jpeg.image_width), static_cast<int>(jpeg.image_height), {}};
  const size_t pixels = size_t{jpeg.image_width} * jpeg.image_height;
  const bool cmyk = IsCmyk(jpeg);
  std::vector<uint8_t> raw(pixels * (cmyk ? 4 : 3));
  if (!ReadPixels(reader.get(), raw.data())) return Damaged(*reader);
  if (cmyk) {
    image.rgb.resize(pixels * 3);
    CmykToRgb(raw, &image.rgb);
  } else {
    image.rgb = std::move(raw);
  }
  return image;
}

}  // namespace edgegate
