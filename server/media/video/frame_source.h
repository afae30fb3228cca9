// The source of the frames of a video.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/base/status.h"
#include "server/media/image.h"
#include "server/media/video/frame_plan.h"

namespace edgegate {

struct VideoLimits {
  int64_t max_pixels = int64_t{4096} * 2304;  // of a frame
  int max_packets = 200'000;                  // coded frames, or JPEG files
  int64_t max_seconds = 24 * 3600;
  int64_t max_decoded_pixels = 2'000'000'000;  // of all decoded frames together
};

// Owned by one thread.
class FrameSource {
 public:
  // `frame` is upright.
  using TakeFrame = std::function<void(int64_t time_us, const Image& frame)>;

  virtual ~FrameSource() = default;
  virtual const std::vector<VideoPacket>& packets() const = 0;
  // Returns the number of frames that may be decoded.
  virtual int64_t max_decoded() const = 0;
  // Decodes the chosen packets (indices of packets(), ascending) and passes their frames on, in the
  // order of time. Damaged frames are left out. kResourceExhausted: an allocation failed.
  virtual Status Decode(const std::vector<size_t>& chosen, const TakeFrame& take) = 0;
};

}  // namespace edgegate
