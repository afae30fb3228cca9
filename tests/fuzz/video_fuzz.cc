// Uses any bytes as a video file: samples its frames, as images of their own and on a contact
// sheet. golden/video belongs to the corpus too.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/media/video/sample_video.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgegate;
  constexpr int kSide = 28;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const VideoLimits limits{.max_pixels = 100'000,
                           .max_packets = 500,
                           .max_seconds = 3600,
                           .max_decoded_pixels = 10'000'000};
  for (const bool sheet : {false, true}) {
    const auto images = SampleVideo(file, {kSide, 4, sheet ? 9 : 0, sheet, 0}, limits);
    if (!images.ok()) continue;
    if (images->empty() || images->size() > 4) std::abort();
    int64_t last = -1;
    for (const VideoImage& image : *images) {
      if (image.pixels.size() != size_t{3} * kSide * kSide || image.times_us.empty()) std::abort();
      for (const int64_t time : image.times_us) {
        if (time <= last || time > int64_t{3600} * 1'000'000) std::abort();
        last = time;
      }
    }
  }
  return 0;
}
