#include "server/media/video/frame_plan.h"

#include <algorithm>
#include <numeric>

namespace edgegate {
namespace {

// Returns the times at which frames are chosen, in ascending order.
std::vector<int64_t> ChosenTimes(int64_t duration_us, const FramePlanOptions& options) {
  std::vector<int64_t> times;
  const int64_t most = std::max(options.max_frames, 1);
  const double step_us = options.fps > 0 ? 1e6 / options.fps : 0;
  if (step_us > 0 && static_cast<double>(duration_us) / step_us < static_cast<double>(most)) {
    for (int64_t k = 0; k < most; ++k) {
      const double time = static_cast<double>(k) * step_us;
      if (time > static_cast<double>(duration_us)) break;
      times.push_back(static_cast<int64_t>(time));
    }
    return times;
  }
  for (int64_t k = 0; k < most; ++k) {
    times.push_back(
        most == 1 ? 0 : duration_us / (most - 1) * k + duration_us % (most - 1) * k / (most - 1));
  }
  return times;
}

void SortAndUnite(std::vector<size_t>* indices) {
  std::sort(indices->begin(), indices->end());
  indices->erase(std::unique(indices->begin(), indices->end()), indices->end());
}

// Returns the index of the key frame that the packet's decoding begins at.
size_t KeyOf(const std::vector<VideoPacket>& packets, size_t index) {
  while (index > 0 && !packets[index].key) --index;
  return index;
}

}  // namespace

Result<std::vector<size_t>> PlanFrames(const std::vector<VideoPacket>& packets,
                                       const FramePlanOptions& options) {
  if (packets.empty()) return InvalidArgument("the video has no frames");
  std::vector<size_t> shown(packets.size());
  std::iota(shown.begin(), shown.end(), size_t{0});
  std::stable_sort(shown.begin(), shown.end(),
                   [&](size_t a, size_t b) { return packets[a].time_us < packets[b].time_us; });
  std::vector<size_t> chosen;
  size_t at = 0;
  for (const int64_t time : ChosenTimes(packets[shown.back()].time_us, options)) {
    while (at + 1 < shown.size() && packets[shown[at + 1]].time_us <= time) ++at;
    chosen.push_back(shown[at]);
  }
  SortAndUnite(&chosen);
  const std::vector<bool> needed = NeededPackets(packets, chosen);
  const auto decoded = std::count(needed.begin(), needed.end(), true);
  if (decoded <= options.max_decoded) return chosen;
  std::vector<size_t> keys;
  for (const size_t index : chosen) keys.push_back(KeyOf(packets, index));
  SortAndUnite(&keys);
  if (keys.size() < std::min(static_cast<size_t>(options.least_key_frames), chosen.size())) {
    return InvalidArgument(
        "{} frames must be decoded, because the video has few key frames: at most {} frames of "
        "this size are decoded (server.video_cpu_ms)",
        decoded, options.max_decoded);
  }
  return keys;
}

std::vector<bool> NeededPackets(const std::vector<VideoPacket>& packets,
                                const std::vector<size_t>& chosen) {
  std::vector<bool> needed(packets.size());
  for (const size_t index : chosen) {
    for (size_t i = index;; --i) {
      if (needed[i]) break;
      needed[i] = true;
      if (i == 0 || packets[i].key) break;
    }
  }
  return needed;
}

}  // namespace edgegate
