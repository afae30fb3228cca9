// DecodeAndPrepare gives the bytes of DecodeImage and PrepareImage, and keeps its limits.

#include <cstdio>
// jpeglib.h needs it.
#include <doctest/doctest.h>
#include <jpeglib.h>
#include <spng.h>
#include <webp/decode.h>
#include <webp/encode.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "engine/image/prepare_image.h"
#include "engine/image/row_preparer.h"
#include "server/media/decode_image.h"

namespace edgegate {
namespace {

const std::string kFolder = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/images/";

Image RandomImage(int width, int height, std::mt19937* random) {
  Image image{width, height, std::vector<uint8_t>(size_t{3} * width * height)};
  for (uint8_t& value : image.rgb) value = static_cast<uint8_t>((*random)());
  return image;
}

// An EXIF block that names the orientation.
std::string Exif(int orientation) {
  std::string exif("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\0\0\0\0\0\0\0\0", 26);
  exif[18] = static_cast<char>(orientation);
  return exif;
}

struct JpegOptions {
  int orientation = 0;
  int sampling = 2;
  bool progressive = false;
  bool arithmetic = false;
  bool restarts = false;
};

std::string Jpeg(const Image& image, const JpegOptions& options) {
  jpeg_compress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* data = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): libjpeg's type
  jpeg_mem_dest(&jpeg, &data, &size);
  jpeg.image_width = static_cast<JDIMENSION>(image.width);
  jpeg.image_height = static_cast<JDIMENSION>(image.height);
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = options.sampling;
  jpeg.arith_code = options.arithmetic;
  if (options.restarts) jpeg.restart_interval = 3;
  if (options.progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  if (options.orientation > 0) {
    const std::string block = std::string("Exif\0\0", 6) + Exif(options.orientation);
    jpeg_write_marker(&jpeg, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(block.data()),
                      static_cast<unsigned>(block.size()));
  }
  for (int y = 0; y < image.height; ++y) {
    auto* row = const_cast<uint8_t*>(image.rgb.data()) + size_t{3} * y * image.width;
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::string file(reinterpret_cast<const char*>(data), size);
  jpeg_destroy_compress(&jpeg);
  std::free(data);
  return file;
}

// `channels`: 3 or 4. The fourth is a copy of the third.
std::string Png(const Image& image, int channels, bool interlaced, int orientation) {
  spng_ctx* png = spng_ctx_new(SPNG_CTX_ENCODER);
  spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header{static_cast<uint32_t>(image.width),
                   static_cast<uint32_t>(image.height),
                   8,
                   static_cast<uint8_t>(channels == 4 ? SPNG_COLOR_TYPE_TRUECOLOR_ALPHA
                                                      : SPNG_COLOR_TYPE_TRUECOLOR),
                   0,
                   0,
                   static_cast<uint8_t>(interlaced ? 1 : 0)};
  spng_set_ihdr(png, &header);
  std::string exif = Exif(orientation);
  spng_exif block{exif.size(), exif.data()};
  if (orientation > 0) spng_set_exif(png, &block);
  std::vector<uint8_t> pixels;
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    pixels.push_back(image.rgb[i]);
    if (channels == 4 && i % 3 == 2) pixels.push_back(image.rgb[i]);
  }
  REQUIRE(spng_encode_image(png, pixels.data(), pixels.size(), SPNG_FMT_PNG,
                            SPNG_ENCODE_FINALIZE) == 0);
  size_t size = 0;
  int error = 0;
  void* data = spng_get_png_buffer(png, &size, &error);
  REQUIRE(error == 0);
  std::string file(static_cast<const char*>(data), size);
  std::free(data);
  spng_ctx_free(png);
  return file;
}

std::string Webp(const Image& image, bool lossless, bool alpha) {
  std::vector<uint8_t> rgba;
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    rgba.push_back(image.rgb[i]);
    if (i % 3 == 2) rgba.push_back(alpha ? image.rgb[i - 1] : 255);
  }
  uint8_t* data = nullptr;
  const size_t size =
      lossless
          ? WebPEncodeLosslessRGBA(rgba.data(), image.width, image.height, image.width * 4, &data)
          : WebPEncodeRGBA(rgba.data(), image.width, image.height, image.width * 4, 75, &data);
  REQUIRE(size > 0);
  std::string file(reinterpret_cast<const char*>(data), size);
  WebPFree(data);
  return file;
}

void CheckSame(const std::string& file, int size) {
  const auto image = DecodeImage(file, {});
  REQUIRE_MESSAGE(image.ok(), image.status().message());
  const auto prepared = DecodeAndPrepare(file, size, {});
  REQUIRE(prepared.ok());
  CHECK(*prepared == PrepareImage(image->rgb.data(), image->width, image->height, size));
}

TEST_CASE("row-wise preparation equals that of the whole image, in every orientation") {
  std::mt19937 random(1);
  const std::pair<int, int> fixed[] = {{1, 1},     {1, 700},  {700, 1},   {2, 3},   {64, 64},
                                       {640, 480}, {99, 700}, {700, 301}, {84, 84}, {33, 500}};
  for (int i = 0; i < 120; ++i) {
    const auto [width, height] = i < 10 ? fixed[i]
                                        : std::pair(1 + static_cast<int>(random() % 300),
                                                    1 + static_cast<int>(random() % 300));
    const int size = i % 3 == 0 ? 84 : 1 + static_cast<int>(random() % 256);
    const std::string shape = std::to_string(width) + " x " + std::to_string(height);
    CAPTURE(shape);
    CAPTURE(size);
    const Image image = RandomImage(width, height, &random);
    for (int orientation = 0; orientation <= 9; ++orientation) {
      CAPTURE(orientation);
      RowPreparer rows(width, height, orientation, size);
      for (int y = 0; y < height; ++y) rows.AddRow(image.rgb.data() + size_t{3} * width * y);
      const Image upright = ApplyOrientation(image, orientation);
      const auto want = PrepareImage(upright.rgb.data(), upright.width, upright.height, size);
      CHECK(std::move(rows).Finish() == want);
    }
  }
}

TEST_CASE("decoding by rows equals the whole image for every format, size and orientation") {
  std::mt19937 random(2);
  for (int i = 0; i < 40; ++i) {
    const int width = 1 + static_cast<int>(random() % 200);
    const int height = 1 + static_cast<int>(random() % 200);
    CAPTURE(width);
    CAPTURE(height);
    const Image image = RandomImage(width, height, &random);
    const int size = 1 + static_cast<int>(random() % 160), orientation = i % 9;
    CheckSame(Jpeg(image, {orientation, 1 + i % 2, i % 3 == 0, i % 5 == 0, i % 4 == 0}), size);
    CheckSame(Png(image, 3, false, orientation), size);
    CheckSame(Png(image, 4, false, orientation), size);
    CheckSame(Png(image, 3 + i % 2, true, orientation), size);
    for (bool lossless : {false, true}) {
      CheckSame(Webp(image, lossless, false), size);
      CheckSame(Webp(image, lossless, true), size);
    }
  }
}

TEST_CASE("decoding by rows equals the whole image for the golden files") {
  for (const auto& entry : std::filesystem::directory_iterator(kFolder + "good")) {
    CAPTURE(entry.path().string());
    std::stringstream file;
    file << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    CheckSame(file.str(), 56);
  }
}

// Returns the error message, or "" if there is none.
std::string Refusal(const std::string& file, const DecodeLimits& limits) {
  const auto result = DecodeAndPrepare(file, 56, limits);
  if (result.ok()) return "";
  CHECK(result.status().code() == StatusCode::kInvalidArgument);
  return result.status().message();
}

TEST_CASE("memory is computed from the header, and the refusal names the limit") {
  std::mt19937 random(3);
  const Image image = RandomImage(2048, 1024, &random);
  const DecodeLimits limits{.max_memory = int64_t{4} << 20};
  CHECK(Refusal(Jpeg(image, {}), limits) == "");
  CHECK(Refusal(Png(image, 4, false, 0), limits) == "");
  CHECK(Refusal(Jpeg(image, {.progressive = true}), limits) ==
        "decoding the progressive JPEG file takes 6 MiB: at most 4 MiB are allowed");
  CHECK(Refusal(Png(image, 4, true, 0), limits) ==
        "decoding the interlaced PNG file takes 8 MiB: at most 4 MiB are allowed");
  CHECK(Refusal(Webp(image, false, false), limits) ==
        "decoding the WebP file takes 6 MiB: at most 4 MiB are allowed");
  // The number of code tables depends on the encoder.
  CHECK(Refusal(Webp(image, true, true), limits).find("the lossless WebP file takes 1") !=
        std::string::npos);
}

TEST_CASE("a large lossy WebP file, which is read in pieces, gives libwebp's pixels") {
  std::mt19937 random(6);
  Image image = RandomImage(2400, 2400, &random);
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    image.rgb[i] = static_cast<uint8_t>(image.rgb[i] / 8 + i / 3 % 200);
  }
  const std::string file = Webp(image, false, false);
  int width = 0, height = 0;
  uint8_t* want =
      WebPDecodeRGB(reinterpret_cast<const uint8_t*>(file.data()), file.size(), &width, &height);
  const auto got = DecodeImage(file, {});
  REQUIRE((want != nullptr && got.ok()));
  CHECK(std::equal(got->rgb.begin(), got->rgb.end(), want, want + size_t{3} * width * height));
  WebPFree(want);
  CHECK_FALSE(DecodeImage(std::string_view(file).substr(0, file.size() - 1000), {}).ok());
}

// A lossless WebP image of 1024 x 1024 black pixels, with groups of five code tables each.
std::string WebpWithGroups(int groups) {
  std::string bits;
  const auto put = [&](int value, int count) {
    for (int i = 0; i < count; ++i) bits += static_cast<char>(value >> i & 1);
  };
  const auto put_reversed = [&](int value) {
    for (int i = 7; i >= 0; --i) bits += static_cast<char>(value >> i & 1);
  };
  const auto put_one_symbol = [&] { put(1, 4); };
  // 256 symbols of 8 bits each, and `unused` more.
  const auto put_bytes_code = [&](int unused) {
    put(8 << 1, 5);  // 12 lengths of lengths
    for (int length : {0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1}) put(length, 3);  // of 0 and of 8
    put(0, 1);
    for (int i = 0; i < 256 + unused; ++i) put(i < 256, 1);
  };
  put(0x2f, 8);
  put(1023, 14);
  put(1023, 14);
  put(0, 6);  // no transparency, version 0; no transforms, no cache
  put(1, 4);  // groups for blocks of 4 x 4 pixels
  put(0, 1);
  put_bytes_code(24);
  put_bytes_code(0);
  for (int i = 0; i < 3; ++i) put_one_symbol();
  for (int i = 0; i < 256 * 256; ++i) {
    put_reversed(i % groups & 255);
    put_reversed(i % groups >> 8);
  }
  for (int i = 0; i < groups * 5; ++i) put_one_symbol();
  put(0, 16);
  std::string data(bits.size() / 16 * 2, '\0');
  for (size_t i = 0; i < data.size() * 8; ++i) data[i / 8] |= static_cast<char>(bits[i] << i % 8);
  const auto size = [](size_t n) {
    return std::string{static_cast<char>(n), static_cast<char>(n >> 8), static_cast<char>(n >> 16),
                       static_cast<char>(n >> 24)};
  };
  return "RIFF" + size(data.size() + 12) + "WEBPVP8L" + size(data.size()) + data;
}

TEST_CASE("a WebP file cannot take memory by asking for code tables") {
  CHECK(Refusal(WebpWithGroups(100), {}) == "");
  CHECK(Refusal(WebpWithGroups(65536), {}) ==
        "decoding the lossless WebP file takes 786 MiB: at most 160 MiB are allowed");
}

TEST_CASE("a file with too many scans of its samples is refused at once") {
  std::mt19937 random(4);
  const Image image = RandomImage(640, 480, &random);
  const std::string file = Jpeg(image, {.sampling = 1, .progressive = true});
  // Repeats the scans of the file, which begin with the first scan's header.
  const size_t first = file.find("\xff\xda");
  std::string repeated = file.substr(0, file.size() - 2);
  while (repeated.size() < size_t{150} * file.size()) {
    repeated += file.substr(first, file.size() - 2 - first);
  }
  const std::string refusal = Refusal(repeated + "\xff\xd9", {});
  CAPTURE(refusal);
  CHECK(refusal.find("million samples in total: at most 500 million") != std::string::npos);
}

TEST_CASE("a cancelled decoder stops") {
  std::mt19937 random(5);
  const Image image = RandomImage(1500, 1000, &random);
  for (const std::string& file :
       {Jpeg(image, {}), Jpeg(image, {.progressive = true}), Png(image, 3, false, 0),
        Png(image, 3, true, 0), Webp(image, false, false), Webp(image, true, false)}) {
    int asked = 0;
    const DecodeLimits limits{.stop = [&] { return ++asked == 3; }};
    const auto result = DecodeAndPrepare(file, 56, limits);
    REQUIRE_FALSE(result.ok());
    CHECK(result.status().code() == StatusCode::kCancelled);
    CHECK(asked == 3);
  }
}

}  // namespace
}  // namespace edgegate
