#include "server/media/video/sample_video.h"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "server/media/decode_image.h"
#include "server/media/video/contact_sheet.h"
#include "server/media/video/frame_sampler.h"
#include "server/media/video/video_file.h"

namespace edgegate {
namespace {

constexpr int kConsidered = 4;  // frames that are compared, for each frame of the result
// Times are shown in tenths of a second.
constexpr double kMaxRate = 10;

class JpegList : public FrameSource {
 public:
  JpegList(const std::vector<std::string_view>& files, double fps, const VideoLimits& limits)
      : files_(files), limits_(limits) {
    for (size_t i = 0; i < files.size(); ++i) {
      packets_.push_back({static_cast<int64_t>(static_cast<double>(i) * 1e6 / fps), true});
    }
  }

  const std::vector<VideoPacket>& packets() const override { return packets_; }
  int64_t max_decoded() const override { return std::ssize(files_); }

  // Other than a frame of a file, a damaged JPEG file is an error, as for an image.
  Status Decode(const std::vector<size_t>& chosen, const TakeFrame& take) override {
    DecodeLimits limits;
    limits.max_pixels = limits_.max_pixels;
    for (const size_t index : chosen) {
      const auto image = DecodeImage(files_[index], limits);
      if (!image.ok()) return image.status().WithContext(fmt::format("frame {}", index));
      take(packets_[index].time_us, *image);
    }
    return {};
  }

 private:
  const std::vector<std::string_view>& files_;
  const VideoLimits& limits_;
  std::vector<VideoPacket> packets_;
};

// Returns the number of frames to keep, by the shape of the first one.
int FramesFor(const VideoSampling& sampling, const Image& frame) {
  if (sampling.sheet_frames == 0) return sampling.max_images;
  return std::min(sampling.sheet_frames, SheetCapacity(frame.width, frame.height));
}

std::vector<VideoImage> ToImages(std::vector<SampledFrame> frames, const VideoSampling& sampling) {
  std::vector<VideoImage> images;
  const bool sheet = frames.size() > 1 && sampling.sheet_frames > 0 &&
                     (sampling.always_sheet || std::ssize(frames) > sampling.max_images);
  if (!sheet) {
    for (SampledFrame& frame : frames) {
      images.push_back({{frame.time_us}, 1, PadToSquare(frame.image, sampling.size)});
      frame.image = {};
    }
    return images;
  }
  VideoImage image;
  std::vector<Image> tiles;
  for (SampledFrame& frame : frames) {
    image.times_us.push_back(frame.time_us);
    tiles.push_back(std::move(frame.image));
  }
  ContactSheet made = MakeContactSheet(tiles, sampling.size);
  image.columns = made.columns;
  image.pixels = std::move(made.pixels);
  images.push_back(std::move(image));
  return images;
}

// `fps`: frames of the source to consider for each second. 0: all.
Result<std::vector<VideoImage>> Sample(FrameSource* source, const VideoSampling& sampling,
                                       double fps) {
  FramePlanOptions options;
  const int frames = std::max({sampling.max_images, sampling.sheet_frames, 1});
  options.max_frames = kConsidered * frames;
  options.least_key_frames = frames;
  options.fps = fps;
  options.max_decoded = std::max<int64_t>(source->max_decoded(), options.max_frames);
  EG_ASSIGN_OR_RETURN(const auto chosen, PlanFrames(source->packets(), options));
  std::optional<FrameSampler> sampler;
  EG_RETURN_IF_ERROR(source->Decode(chosen, [&](int64_t time_us, const Image& frame) {
    if (!sampler) sampler.emplace(FramesFor(sampling, frame), sampling.size);
    sampler->Add(time_us, frame);
  }));
  if (!sampler) {
    return InvalidArgument("no frame of the video can be decoded: it is damaged or cut short");
  }
  return ToImages(std::move(*sampler).Take(), sampling);
}

}  // namespace

Result<std::vector<VideoImage>> SampleVideo(std::string_view file, const VideoSampling& sampling,
                                            const VideoLimits& limits) {
  try {
    EG_ASSIGN_OR_RETURN(const auto source, OpenVideoFile(file, limits));
    const double fps = sampling.fps > 0 ? std::min(sampling.fps, kMaxRate) : kMaxRate;
    return Sample(source.get(), sampling, fps);
  } catch (const std::bad_alloc&) {
    return ResourceExhausted("there is not enough memory to decode the video");
  }
}

Result<std::vector<VideoImage>> SampleJpegs(const std::vector<std::string_view>& files,
                                            const VideoSampling& sampling,
                                            const VideoLimits& limits) {
  if (std::ssize(files) > limits.max_packets) {
    return InvalidArgument("the video has more than {} frames", limits.max_packets);
  }
  const double fps = sampling.fps > 0 ? sampling.fps : 1;
  if (static_cast<double>(files.size()) / fps > static_cast<double>(limits.max_seconds)) {
    return InvalidArgument("the video lasts longer than {} hours", limits.max_seconds / 3600);
  }
  try {
    JpegList source(files, fps, limits);
    return Sample(&source, sampling, 0);
  } catch (const std::bad_alloc&) {
    return ResourceExhausted("there is not enough memory to decode the video");
  }
}

}  // namespace edgegate
