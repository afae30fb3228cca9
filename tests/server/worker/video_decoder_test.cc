// Videos in real processes of edgegate-video. A failed video is an error of that video only.

#include "server/worker/video_decoder.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <thread>

namespace edgegate {
namespace {

constexpr int kSide = 48;
const VideoSampling kFrames{kSide, 8, 0, false, 0};

VideoInput Clip(const std::string& name) {
  std::stringstream bytes;
  bytes << std::ifstream(std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/video/" + name,
                         std::ios::binary)
               .rdbuf();
  return {{bytes.str()}, false};
}

TEST_CASE("the program samples a video as this process does") {
  VideoDecoder::SetProgram(EDGEGATE_VIDEO_PROGRAM);
  VideoDecoder decoder({});
  for (const char* name : {"h264.mp4", "hevc.mp4", "vp9.webm", "av1.mp4", "mjpeg.avi"}) {
    CAPTURE(name);
    const VideoInput clip = Clip(name);
    const auto here = SampleVideo(clip.files[0], kFrames, {});
    const auto there = decoder.Decode(clip, kFrames, {});
    REQUIRE_MESSAGE(there.ok(), there.status().message());
    REQUIRE(here.ok());
    REQUIRE(there->size() == here->size());
    for (size_t i = 0; i < here->size(); ++i) {
      CHECK((*there)[i].image.times_us == (*here)[i].times_us);
      CHECK((*there)[i].image.pixels == (*here)[i].pixels);
      CHECK((*there)[i].sha256.size() == 64);
    }
  }
}

TEST_CASE("a limit that is exceeded is named with its setting") {
  VideoDecoder::SetProgram(EDGEGATE_VIDEO_PROGRAM);
  VideoDecoder hasty({.cpu = std::chrono::milliseconds(1)});
  const auto slow = hasty.Decode(Clip("h264.mp4"), kFrames, {});
  REQUIRE_FALSE(slow.ok());
  CHECK(slow.status().message().find("server.video_cpu_ms") != std::string::npos);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  VideoDecoder small({.memory = 1 << 18});
  const auto large = small.Decode(Clip("h264.mp4"), kFrames, {});
  REQUIRE_FALSE(large.ok());
  CHECK(large.status().message().find("server.video_memory_mb") != std::string::npos);
#endif
  VideoDecoder decoder({});
  const auto text = decoder.Decode({{"#EXTM3U\n/etc/passwd\n"}, false}, kFrames, {});
  CHECK(text.status().code() == StatusCode::kInvalidArgument);
  CHECK(decoder.Decode(Clip("h264.mp4"), kFrames, {}).ok());
}

TEST_CASE("a client that leaves, and the end of the daemon, end the process") {
  VideoDecoder::SetProgram(EDGEGATE_VIDEO_PROGRAM);
  VideoDecoder decoder({});
  const auto left = decoder.Decode(Clip("h264.mp4"), kFrames, {"a", [] { return true; }});
  CHECK(left.status().code() == StatusCode::kCancelled);
  decoder.Close();
  CHECK(decoder.Decode(Clip("h264.mp4"), kFrames, {}).status().code() == StatusCode::kUnavailable);
}

TEST_CASE("several clients at once each get their frames") {
  VideoDecoder::SetProgram(EDGEGATE_VIDEO_PROGRAM);
  VideoDecoder decoder({});
  std::vector<std::jthread> clients;
  std::atomic<int> served{0};
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&, i] {
      const auto images = decoder.Decode(Clip("vp8.webm"), kFrames, {std::to_string(i), nullptr});
      if (images.ok() && images->size() == 3) ++served;
    });
  }
  clients.clear();
  CHECK(served == 6);
}

TEST_CASE("a program that is not installed is an error that names it") {
  VideoDecoder::SetProgram("/nowhere/edgegate-video");
  VideoDecoder decoder({});
  const auto images = decoder.Decode(Clip("h264.mp4"), kFrames, {});
  REQUIRE_FALSE(images.ok());
  CHECK(images.status().code() == StatusCode::kUnimplemented);
  CHECK(images.status().message().find("/nowhere/edgegate-video") != std::string::npos);
}

TEST_CASE("answers that are damaged are refused") {
  const std::string good = VideoAnswer(
      std::vector<VideoImage>{{{0}, 1, std::vector<uint8_t>(size_t{3} * kSide * kSide)}});
  const std::string_view message = std::string_view(good).substr(sizeof(uint32_t));
  CHECK(OpenVideoAnswer(message, kSide).ok());
  CHECK_FALSE(OpenVideoAnswer(message, kSide + 1).ok());
  for (size_t size = 0; size < message.size(); size += 97) {
    CHECK_FALSE(OpenVideoAnswer(message.substr(0, size), kSide).ok());
  }
  CHECK_FALSE(ReadVideoJob("abc").ok());
}

}  // namespace
}  // namespace edgegate
