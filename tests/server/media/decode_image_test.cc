// Images of every kind, compared with Pillow, and hostile files (golden/images/make.py).

#include "server/media/decode_image.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "server/media/data_url.h"

namespace edgegate {
namespace {

using nlohmann::json;

const std::string kFolder = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/images/";

std::string ReadAll(const std::string& name) {
  std::stringstream text;
  text << std::ifstream(kFolder + name, std::ios::binary).rdbuf();
  return text.str();
}

TEST_CASE("every kind of file gives Pillow's pixels") {
  for (const json& c : json::parse(ReadAll("good.json"))) {
    const std::string name = c["file"];
    CAPTURE(name);
    const auto image = DecodeImage(ReadAll("good/" + name), {});
    REQUIRE_MESSAGE(image.ok(), image.status().message());
    CHECK(image->width == c["width"].get<int>());
    CHECK(image->height == c["height"].get<int>());
    const auto want = DecodeDataUrl("data:image/png;base64," + c["rgb"].get<std::string>());
    REQUIRE(want.ok());
    REQUIRE(image->rgb.size() == want->size());
    int worst = 0;
    for (size_t i = 0; i < want->size(); ++i) {
      worst = std::max(worst, std::abs(image->rgb[i] - static_cast<uint8_t>((*want)[i])));
    }
    CHECK(worst <= c["tolerance"].get<int>());
  }
}

TEST_CASE("each hostile file is refused with its error") {
  const json cases = json::parse(ReadAll("hostile.json"));
  CHECK(cases.size() > 40);
  for (const auto& entry : cases.items()) {
    const std::string& name = entry.key();
    const std::string says = entry.value();
    CAPTURE(name);
    const auto image = DecodeImage(ReadAll("hostile/" + name), {});
    REQUIRE_FALSE(image.ok());
    CAPTURE(image.status().message());
    CHECK(image.status().code() == StatusCode::kInvalidArgument);
    CHECK(image.status().message().find(says) != std::string::npos);
  }
}

TEST_CASE("a truncated file is refused") {
  for (const char* name : {"interlaced.png", "palette-alpha.png", "rgb.jpg", "progressive.jpg",
                           "cmyk.jpg", "lossy.webp", "lossless.webp", "lossy-alpha.webp"}) {
    const std::string file = ReadAll(std::string("good/") + name);
    CAPTURE(name);
    // A PNG's last 20 bytes, checksums and the end chunk, carry no pixels.
    for (size_t size = 0; size + 20 < file.size(); ++size) {
      CAPTURE(size);
      CHECK_FALSE(DecodeImage(file.substr(0, size), {}).ok());
    }
  }
}

TEST_CASE("nothing is decoded past the limit") {
  const std::string file = ReadAll("good/rgb.png");
  CHECK(DecodeImage(file, {.max_pixels = 23 * 17}).ok());
  CHECK_FALSE(DecodeImage(file, {.max_pixels = 23 * 17 - 1}).ok());
}

TEST_CASE("invalid EXIF orientations are ignored") {
  using std::string_view_literals::operator""sv;
  CHECK(ExifOrientation("") == 1);
  CHECK(ExifOrientation("II*\0\x08\0\0\0"sv) == 1);
  CHECK(ExifOrientation("II*\0\xff\xff\xff\xff\1\0"sv) == 1);
  CHECK(ExifOrientation("II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"sv) == 6);
  CHECK(ExifOrientation("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"sv) == 6);
  CHECK(ExifOrientation("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\x09\0\0"sv) == 1);
}

}  // namespace
}  // namespace edgegate
