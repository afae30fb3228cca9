// The clips of golden/video in this process: their frames, and damaged files.

#include "server/media/video/sample_video.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

namespace edgegate {
namespace {

constexpr int kSide = 48;
const VideoSampling kFrames{kSide, 8, 0, false, 0};

std::string Read(const std::string& name) {
  std::stringstream bytes;
  bytes << std::ifstream(std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/video/" + name,
                         std::ios::binary)
               .rdbuf();
  REQUIRE_FALSE(bytes.str().empty());
  return bytes.str();
}

std::vector<VideoImage> Sample(const std::string& file, const VideoSampling& sampling = kFrames) {
  auto images = SampleVideo(file, sampling, {});
  REQUIRE_MESSAGE(images.ok(), images.status().message());
  for (const VideoImage& image : *images) {
    REQUIRE(image.pixels.size() == size_t{3} * kSide * kSide);
  }
  return *std::move(images);
}

std::string Refusal(const std::string& file) {
  const auto images = SampleVideo(file, kFrames, {});
  return images.ok() ? "" : images.status().message();
}

bool Says(const std::string& message, const char* text) {
  return message.find(text) != std::string::npos;
}

// Returns the colour channel that is largest at a place: 0 red, 1 green, 2 blue.
int ColorAt(const VideoImage& image, int x, int y) {
  const uint8_t* rgb = image.pixels.data() + (y * kSide + x) * 3;
  return static_cast<int>(std::max_element(rgb, rgb + 3) - rgb);
}

const char* const kClips[] = {"h264.mp4",  "h264.mov",  "h264.ts",  "h264.mkv",
                              "hevc.mp4",  "vp8.webm",  "vp9.webm", "av1.mp4",
                              "mpeg4.avi", "mjpeg.avi", "gif.gif",  "one-key-frame.mp4",
                              "sound.mp4", "turned.mp4"};

TEST_CASE("every container and codec gives a frame for each change, with its time") {
  for (const char* name : kClips) {
    CAPTURE(name);
    const auto images = Sample(Read(name));
    REQUIRE(images.size() == 3);
    const int64_t times[] = {0, 1'000'000, 1'500'000};
    for (int i = 0; i < 3; ++i) {
      const VideoImage& image = images[static_cast<size_t>(i)];
      REQUIRE(image.times_us.size() == 1);
      CHECK(std::abs(image.times_us[0] - times[i]) <= 100'000);
      CHECK(ColorAt(image, 20, 20) == i);
    }
  }
}

TEST_CASE("the same file gives the same bytes") {
  for (const char* name : kClips) {
    CAPTURE(name);
    const auto one = Sample(Read(name)), two = Sample(Read(name));
    REQUIRE(one.size() == two.size());
    for (size_t i = 0; i < one.size(); ++i) CHECK(one[i].pixels == two[i].pixels);
  }
}

TEST_CASE("a turned video is shown upright") {
  const auto plain = Sample(Read("h264.mp4")), turned = Sample(Read("turned.mp4"));
  const auto white = [](const VideoImage& image, int x, int y) {
    const uint8_t* rgb = image.pixels.data() + (y * kSide + x) * 3;
    return std::min({rgb[0], rgb[1], rgb[2]}) > 180;
  };
  CHECK(white(plain[0], 3, 3));
  CHECK_FALSE(white(plain[0], 27, 3));
  CHECK(white(turned[0], 28, 3));  // 32 of 48 pixels wide
  CHECK_FALSE(white(turned[0], 3, 3));
}

TEST_CASE("a contact sheet is made if frames are many, or always") {
  const std::string file = Read("h264.mp4");
  const auto fits = Sample(file, {kSide, 3, 9, false, 0});
  CHECK(fits.size() == 3);
  for (const VideoSampling& sampling :
       {VideoSampling{kSide, 2, 9, false, 0}, VideoSampling{kSide, 8, 9, true, 0}}) {
    const auto sheet = Sample(file, sampling);
    REQUIRE(sheet.size() == 1);
    CHECK(sheet[0].times_us.size() == 3);
    CHECK(sheet[0].columns == 2);
    CHECK(ColorAt(sheet[0], 15, 10) == 0);
    CHECK(ColorAt(sheet[0], 39, 10) == 1);
    CHECK(ColorAt(sheet[0], 15, 25) == 2);
  }
}

TEST_CASE("a list of JPEG files is a video of one frame a second, or at the given rate") {
  // The frames of mjpeg.avi are JPEG files.
  const std::string avi = Read("mjpeg.avi");
  std::vector<std::string_view> files;
  for (size_t at = 0; (at = avi.find("\xff\xd8\xff", at)) != std::string::npos;) {
    const size_t end = avi.find("\xff\xd9", at) + 2;
    files.push_back(std::string_view(avi).substr(at, end - at));
    at = end;
  }
  REQUIRE(files.size() == 30);
  const auto images = SampleJpegs(files, kFrames, {});
  REQUIRE_MESSAGE(images.ok(), images.status().message());
  REQUIRE(images->size() == 3);
  CHECK((*images)[1].times_us[0] == 10'000'000);
  CHECK(ColorAt((*images)[2], 20, 20) == 2);
  VideoSampling faster = kFrames;
  faster.fps = 10;
  CHECK((*SampleJpegs(files, faster, {}))[1].times_us[0] == 1'000'000);
  files[0] = files[0].substr(0, 100);
  CHECK(Says(SampleJpegs(files, kFrames, {}).status().message(), "frame 0"));
}

TEST_CASE("other files are refused by name") {
  CHECK(Says(Refusal(""), "empty"));
  CHECK(Says(Refusal("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n"), "a playlist"));
  CHECK(Says(Refusal("ffconcat version 1.0\nfile /etc/passwd\n"), "a playlist"));
  CHECK(Says(Refusal("\xff\xd8\xff\xe0 JFIF"), "an image"));
  CHECK(Says(Refusal(std::string(4096, 'x')), "unknown type"));
  CHECK(Says(Refusal(Read("flv.flv")), "FLV"));
  CHECK(Says(Refusal(Read("prores.mov")), "prores"));
}

TEST_CASE("limits are errors that name them") {
  CHECK(Says(Refusal(Read("long.mkv")), "24 hours"));
  const auto refused = [](const VideoLimits& limits) {
    const auto images = SampleVideo(Read("h264.mp4"), kFrames, limits);
    return images.ok() ? "" : images.status().message();
  };
  CHECK(Says(refused({.max_pixels = 96 * 64 - 1}), "96 x 64 pixels"));
  CHECK(Says(refused({.max_packets = 29}), "more than 29 frames"));
  CHECK(Says(refused({.max_seconds = 1}), "hours"));
  const auto few = SampleVideo(Read("one-key-frame.mp4"), {kSide, 4, 0, false, 0},
                               {.max_decoded_pixels = 20 * 96 * 64});
  REQUIRE_FALSE(few.ok());
  CHECK(Says(few.status().message(), "key frames"));
}

TEST_CASE("a file without frames, or of huge frames, is refused") {
  const std::string gif = Read("gif.gif");
  CHECK_FALSE(Refusal(gif.substr(0, 13)).empty());
  std::string huge = gif;
  std::memset(huge.data() + 6, 0xff, 4);  // 65,535 x 65,535
  CHECK_FALSE(Refusal(huge).empty());
  const std::string mp4 = Read("h264.mp4");
  CHECK(Says(Refusal(mp4.substr(0, 40)), "video"));
}

TEST_CASE("files that are cut short or damaged end in frames or in an error") {
  std::mt19937 random(7);
  for (const char* name : kClips) {
    CAPTURE(name);
    const std::string file = Read(name);
    for (int part = 0; part < 16; ++part) {
      const auto cut =
          SampleVideo(file.substr(0, file.size() * static_cast<size_t>(part) / 16), kFrames, {});
      CHECK((cut.ok() || !cut.status().message().empty()));
    }
    for (int round = 0; round < 40; ++round) {
      std::string damaged = file;
      const int flips = 1 << round % 8;
      for (int i = 0; i < flips; ++i) {
        damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
      }
      const auto images = SampleVideo(damaged, kFrames, {.max_pixels = 1 << 20});
      if (images.ok()) CHECK(images->size() <= 8);
    }
  }
}

}  // namespace
}  // namespace edgegate
