#include "server/media/video/frame_sampler.h"

#include <doctest/doctest.h>

#include <random>

#include "server/media/video/contact_sheet.h"

namespace edgegate {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int kSide = 48;

Image Plain(int width, int height, int brightness) {
  return {width, height,
          std::vector<uint8_t>(static_cast<size_t>(width * height * 3),
                               static_cast<uint8_t>(brightness))};
}

// A grey image with a bright square of an eighth of the side, at this column of eight.
Image WithSquare(int column) {
  Image image = Plain(128, 128, 90);
  for (int y = 64; y < 80; ++y) {
    for (int x = column * 16; x < column * 16 + 16; ++x) {
      for (int c = 0; c < 3; ++c) image.rgb[static_cast<size_t>((y * 128 + x) * 3 + c)] = 140;
    }
  }
  return image;
}

std::vector<int64_t> Times(FrameSampler&& sampler) {
  std::vector<int64_t> times;
  for (const SampledFrame& frame : std::move(sampler).Take()) times.push_back(frame.time_us);
  return times;
}

TEST_CASE("a static scene with noise gives one frame") {
  std::mt19937 random(1);
  FrameSampler sampler(8, kSide);
  for (int i = 0; i < 50; ++i) {
    Image image = Plain(320, 240, 120);
    for (uint8_t& value : image.rgb) value = static_cast<uint8_t>(value + random() % 25 - 12);
    sampler.Add(i * kSecond, image);
  }
  CHECK(Times(std::move(sampler)) == std::vector<int64_t>{0});
}

TEST_CASE("a small part that changes counts") {
  FrameSampler sampler(8, kSide);
  for (int i = 0; i < 12; ++i) sampler.Add(i * kSecond, WithSquare(i / 4));
  CHECK(Times(std::move(sampler)) == std::vector<int64_t>{0, 4 * kSecond, 8 * kSecond});
}

TEST_CASE("of too many frames, those stay that show most for longest") {
  FrameSampler sampler(3, kSide);
  sampler.Add(0, Plain(64, 64, 0));
  sampler.Add(10 * kSecond, Plain(64, 64, 200));
  sampler.Add(11 * kSecond, Plain(64, 64, 100));  // for a second only
  sampler.Add(12 * kSecond, Plain(64, 64, 200));
  sampler.Add(40 * kSecond, Plain(64, 64, 0));
  CHECK(Times(std::move(sampler)) == std::vector<int64_t>{0, 10 * kSecond, 40 * kSecond});
}

TEST_CASE("no frame equals the frame before it after another was dropped") {
  FrameSampler sampler(3, kSide);
  sampler.Add(0, Plain(64, 64, 0));
  sampler.Add(10 * kSecond, Plain(64, 64, 200));
  sampler.Add(11 * kSecond, Plain(64, 64, 100));
  sampler.Add(12 * kSecond, Plain(64, 64, 200));
  CHECK(Times(std::move(sampler)) == std::vector<int64_t>{0, 10 * kSecond});
}

TEST_CASE("steady motion gives frames from the whole time") {
  FrameSampler sampler(5, kSide);
  for (int i = 0; i < 200; ++i) sampler.Add(i * kSecond, Plain(64, 64, i));
  const auto times = Times(std::move(sampler));
  REQUIRE(times.size() == 5);
  CHECK(times.front() == 0);
  CHECK(times.back() > 190 * kSecond);
  for (size_t i = 1; i < times.size(); ++i) CHECK(times[i] - times[i - 1] < 100 * kSecond);
}

TEST_CASE("one frame: the first") {
  FrameSampler sampler(1, kSide);
  for (int i = 0; i < 5; ++i) sampler.Add(i * kSecond, Plain(64, 64, 40 * i));
  CHECK(Times(std::move(sampler)) == std::vector<int64_t>{0});
}

TEST_CASE("frames are fitted to the square; tiny, wide and tall ones too") {
  for (const auto& [width, height] : {std::pair(1, 1), {3, 500}, {500, 3}, {64, 64}, {321, 123}}) {
    FrameSampler sampler(2, kSide);
    sampler.Add(0, Plain(width, height, 77));
    const auto frames = std::move(sampler).Take();
    REQUIRE(frames.size() == 1);
    CHECK(std::max(frames[0].image.width, frames[0].image.height) == kSide);
    CHECK(PadToSquare(frames[0].image, kSide).size() == size_t{kSide} * kSide * 3);
  }
}

TEST_CASE("a contact sheet has its frames in rows, in order") {
  std::vector<Image> frames;
  for (int i = 1; i <= 6; ++i) frames.push_back(Plain(kSide, kSide * 2 / 3, 40 * i));
  constexpr int kSheet = 120;
  const ContactSheet sheet = MakeContactSheet(frames, kSheet);
  CHECK(sheet.columns == 2);
  REQUIRE(sheet.pixels.size() == size_t{kSheet} * kSheet * 3);
  const int width = 58, height = 39;  // of a tile; a gap of one pixel follows
  for (int i = 0; i < 6; ++i) {
    const int x = i % 2 * (width + 1) + width / 2, y = i / 2 * (height + 1) + height / 2;
    CHECK(sheet.pixels[static_cast<size_t>((y * kSheet + x) * 3)] == 40 * (i + 1));
  }
}

TEST_CASE("contact sheets of any number and shape stay within their square") {
  for (int size : {4, 28, 112}) {
    for (int count = 1; count <= 32; ++count) {
      for (const auto& [width, height] : {std::pair(size, 1), {1, size}, {size, size}}) {
        const std::vector<Image> frames(static_cast<size_t>(count), Plain(width, height, 9));
        const ContactSheet sheet = MakeContactSheet(frames, size);
        CHECK(sheet.pixels.size() == static_cast<size_t>(size * size * 3));
        CHECK(sheet.columns >= 1);
        CHECK(sheet.columns <= count);
      }
    }
  }
  CHECK(SheetCapacity(100, 100) == 9);
  CHECK(SheetCapacity(1920, 1080) == 15);
  CHECK(SheetCapacity(1080, 1920) == 15);
  CHECK(SheetCapacity(1, 1 << 30) > 9);
}

}  // namespace
}  // namespace edgegate
