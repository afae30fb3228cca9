#include "server/media/video/frame_plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

namespace edgegate {
namespace {

constexpr int64_t kSecond = 1'000'000;

// A video of `count` frames, 10 a second, with a key frame every `every` frames.
std::vector<VideoPacket> Packets(int count, int every) {
  std::vector<VideoPacket> packets;
  for (int i = 0; i < count; ++i) packets.push_back({i * kSecond / 10, i % every == 0});
  return packets;
}

std::vector<size_t> Plan(const std::vector<VideoPacket>& packets, int frames, double fps = 0,
                         int64_t decoded = 1 << 30) {
  const auto plan = PlanFrames(packets, {frames, fps, decoded, 1});
  REQUIRE_MESSAGE(plan.ok(), plan.status().message());
  return *plan;
}

TEST_CASE("frames are evenly spaced from the first to the last one") {
  CHECK(Plan(Packets(101, 10), 5) == std::vector<size_t>{0, 25, 50, 75, 100});
  CHECK(Plan(Packets(3, 1), 5) == std::vector<size_t>{0, 1, 2});
  CHECK(Plan(Packets(30, 10), 1) == std::vector<size_t>{0});
  CHECK(Plan(Packets(1, 1), 8) == std::vector<size_t>{0});
  // Frames count by their times, not by their numbers.
  const std::vector<VideoPacket> uneven = {
      {0, true}, {1, true}, {2, true}, {3 * kSecond, true}, {4 * kSecond, true}};
  CHECK(Plan(uneven, 3) == std::vector<size_t>{0, 2, 4});
}

TEST_CASE("a rate limits the frames") {
  CHECK(Plan(Packets(31, 10), 100, 1) == std::vector<size_t>{0, 10, 20, 30});
  CHECK(Plan(Packets(31, 10), 100, 0.5) == std::vector<size_t>{0, 20});
  CHECK(Plan(Packets(101, 10), 3, 1) == std::vector<size_t>{0, 50, 100});
}

TEST_CASE("the order of decoding may differ from that of time") {
  const std::vector<VideoPacket> reordered = {
      {0, true}, {3 * kSecond, false}, {kSecond, false}, {2 * kSecond, false}, {4 * kSecond, true}};
  CHECK(Plan(reordered, 5) == std::vector<size_t>{0, 1, 2, 3, 4});
  CHECK(Plan(reordered, 2) == std::vector<size_t>{0, 4});
  CHECK(NeededPackets(reordered, {2}) == std::vector<bool>{true, true, true, false, false});
}

TEST_CASE("key frames are chosen if too many frames would be decoded") {
  CHECK(Plan(Packets(100, 10), 4, 0, 20) == std::vector<size_t>{0, 30, 60, 90});
  const auto none = PlanFrames(Packets(100, 1000), {4, 0, 20, 4});
  REQUIRE_FALSE(none.ok());
  CHECK(none.status().message().find("server.video_cpu_ms") != std::string::npos);
  CHECK_FALSE(PlanFrames({}, {4, 0, 20, 1}).ok());
}

TEST_CASE(
    "random videos: frames are distinct, few enough, and needed packets begin at key frames") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<VideoPacket> packets(1 + random() % 60);
    for (VideoPacket& packet : packets) {
      const uint64_t kind = random() % 8;
      packet.time_us = kind == 0   ? INT64_MAX
                       : kind == 1 ? 0
                                   : static_cast<int64_t>(random() % (100 * kSecond));
      packet.key = random() % 5 == 0;
    }
    const int most = 1 + static_cast<int>(random() % 40);
    const double fps = random() % 2 == 0 ? 0 : static_cast<double>(1 + random() % 3000) / 100;
    const auto chosen = Plan(packets, most, fps);
    CHECK_FALSE(chosen.empty());
    CHECK(std::ssize(chosen) <= most);
    CHECK(std::is_sorted(chosen.begin(), chosen.end()));
    CHECK(std::set<size_t>(chosen.begin(), chosen.end()).size() == chosen.size());
    const auto needed = NeededPackets(packets, chosen);
    for (const size_t index : chosen) CHECK(needed.at(index));
    for (size_t i = 1; i < needed.size(); ++i) {
      if (needed[i] && !needed[i - 1]) CHECK(packets[i].key);
    }
  }
}

}  // namespace
}  // namespace edgegate
