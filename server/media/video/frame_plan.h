// Chooses the frames of a video that are decoded and considered: evenly spaced in time, and within
// a limit of decoding work. Knows only the times of the frames. All functions are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// A coded frame, in the order of the file, which is the order of decoding.
struct VideoPacket {
  int64_t time_us = 0;  // when the frame is shown, since the first shown frame
  bool key = false;     // it can be decoded without the packets before it
};

struct FramePlanOptions {
  int max_frames = 1;        // frames to choose
  double fps = 0;            // most frames for each second; 0: no limit
  int64_t max_decoded = 0;   // frames to decode, at least max_frames
  int least_key_frames = 1;  // see PlanFrames()
};

// Returns the indices of the chosen packets, in the order of the file. They are at most
// `max_frames`, evenly spaced from the first to the last frame, or `fps` a second if these are
// fewer. If they need the decoding of more than `max_decoded` frames, the key frames before them
// are chosen instead. kInvalidArgument: there are no packets, or less than `least_key_frames` such
// key frames (and less than the frames that they replace).
Result<std::vector<size_t>> PlanFrames(const std::vector<VideoPacket>& packets,
                                       const FramePlanOptions& options);

// Returns for each packet if it is decoded: the chosen packets, and those from their key frames on.
// The first packet counts as a key frame.
std::vector<bool> NeededPackets(const std::vector<VideoPacket>& packets,
                                const std::vector<size_t>& chosen);

}  // namespace edgegate
