#include "engine/image/prepare_image.h"

#include <doctest/doctest.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/base/sha256.h"
#include "engine/image/resize.h"

namespace edgegate {
namespace {

const std::string kGolden = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/images/resize.json";

// The image of make.py's formula.
std::vector<uint8_t> Source(int width, int height) {
  std::vector<uint8_t> rgb(size_t{3} * width * height);
  for (uint32_t i = 0; i < rgb.size(); ++i) {
    rgb[i] = static_cast<uint8_t>(((i ^ (i >> 7)) * 2654435761u) >> 24);
  }
  return rgb;
}

TEST_CASE("prepared images equal Pillow's, bit for bit") {
  std::ifstream file(kGolden);
  const auto cases = nlohmann::json::parse(file);
  CHECK(cases.size() > 40);
  for (const auto& c : cases) {
    const int width = c["width"], height = c["height"], size = c["size"];
    CAPTURE(width);
    CAPTURE(height);
    CAPTURE(size);
    const auto canvas = PrepareImage(Source(width, height).data(), width, height, size);
    REQUIRE(canvas.size() == size_t{3} * size * size);
    Sha256 hash;
    hash.Update(canvas.data(), canvas.size());
    CHECK(hash.Finish() == c["sha256"].get<std::string>());
  }
}

TEST_CASE("the vectorized resize equals the scalar one") {
  using Sides = std::array<int, 4>;  // width and height, old and new
  for (const Sides& s : {Sides{1, 1, 9, 1},
                         {31, 5, 17, 40},
                         {640, 11, 13, 11},
                         {5, 333, 5, 4},
                         {64, 64, 3, 70},
                         {64, 64, 60, 7}}) {
    const int width = s[0], height = s[1];
    CAPTURE(width);
    CAPTURE(height);
    const auto rgb = Source(width, height);
    CHECK(ResizeBicubic(rgb.data(), width, height, s[2], s[3]) ==
          ResizeBicubicReference(rgb.data(), width, height, s[2], s[3]));
  }
}

TEST_CASE("resizing keeps the aspect ratio, and at least one pixel of each side") {
  CHECK(FitToCanvas(1920, 1080, 672) == std::pair(672, 378));
  CHECK(FitToCanvas(3, 2, 672) == std::pair(672, 448));
  CHECK(FitToCanvas(5000, 1, 84) == std::pair(84, 1));
  CHECK(FitToCanvas(1, 65535, 84) == std::pair(1, 84));
  CHECK(FitToCanvas(84, 84, 84) == std::pair(84, 84));
}

}  // namespace
}  // namespace edgegate
