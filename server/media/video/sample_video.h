// Converts a video to the images that a model gets.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "server/media/video/frame_source.h"

namespace edgegate {

struct VideoSampling {
  int size = 0;          // side of the square images that the model takes, in pixels
  int max_images = 1;    // images in the result
  int sheet_frames = 0;  // frames on a contact sheet; 0: no sheet is made
  bool always_sheet =
      false;       // false: a sheet is made only if there are more than max_images frames
  double fps = 0;  // frames to consider for each second; 0: 10
};

// A frame, or a contact sheet of several frames in rows.
struct VideoImage {
  std::vector<int64_t> times_us;  // of the frames, since the first one of the video
  int columns = 1;
  std::vector<uint8_t> pixels;  // [size][size][3]
};

// Samples frames by time and by change. The result has at least one image. kInvalidArgument: the
// file is no supported video, is damaged, or exceeds a limit. kResourceExhausted: an allocation
// failed. Thread-safe.
Result<std::vector<VideoImage>> SampleVideo(std::string_view file, const VideoSampling& sampling,
                                            const VideoLimits& limits);

// The same for a video that is a list of JPEG files, `sampling.fps` for each second (0: one).
Result<std::vector<VideoImage>> SampleJpegs(const std::vector<std::string_view>& files,
                                            const VideoSampling& sampling,
                                            const VideoLimits& limits);

}  // namespace edgegate
