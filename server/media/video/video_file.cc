#include "server/media/video/video_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <new>
#include <optional>
#include <utility>

#include "server/media/decode_image.h"
#include "server/media/video/av_handles.h"

extern "C" {
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
}

namespace edgegate {
namespace {

constexpr AVRational kMicroseconds{1, 1'000'000};
constexpr AVRational kGuessedRate{1, 25};  // of files that have no times
// Size that the limit of work assumes where the container does not tell the size.
constexpr int64_t kGuessedPixels = int64_t{1920} * 1088;
constexpr int kRowAlignment = 64;

Status NoMemory() { return ResourceExhausted("there is not enough memory to decode the video"); }

// Returns the EXIF value that turns the stored frames upright.
int OrientationOf(const AVStream& stream) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
  const AVPacketSideData* data =
      av_packet_side_data_get(stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data,
                              AV_PKT_DATA_DISPLAYMATRIX);
  const uint8_t* bytes = data != nullptr ? data->data : nullptr;
  const size_t size = data != nullptr ? data->size : 0;
#else
  size_t size = 0;
  const uint8_t* bytes = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
#endif
  int32_t matrix[9];
  if (bytes == nullptr || size < sizeof matrix) return 1;
  std::memcpy(matrix, bytes, sizeof matrix);
  const double degrees = av_display_rotation_get(matrix);  // counterclockwise
  if (std::isnan(degrees)) return 1;
  switch (static_cast<int>(std::lround(degrees / 90)) & 3) {
    case 1:
      return 8;
    case 2:
      return 3;
    case 3:
      return 6;
    default:
      return 1;
  }
}

// Converts frames to RGB with square pixels. The same frames give the same bytes on every
// processor.
class FrameConverter {
 public:
  explicit FrameConverter(const VideoLimits& limits) : limits_(limits) {}

  // nullopt: the frame cannot be converted.
  std::optional<Image> Convert(const AVFrame& frame) {
    const auto format = static_cast<AVPixelFormat>(frame.format);
    if (frame.width < 1 || frame.height < 1 ||
        int64_t{frame.width} * frame.height > limits_.max_pixels || !sws_isSupportedInput(format)) {
      return std::nullopt;
    }
    Image image{frame.width, frame.height, {}};
    ApplyPixelShape(frame.sample_aspect_ratio, &image);
    context_.reset(sws_getCachedContext(
        context_.release(), frame.width, frame.height, format, image.width, image.height,
        AV_PIX_FMT_RGB24,
        SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_FULL_CHR_H_INT | SWS_BITEXACT,
        nullptr, nullptr, nullptr));
    if (!context_) throw std::bad_alloc();
    const int* colors = sws_getCoefficients(frame.colorspace);
    sws_setColorspaceDetails(context_.get(), colors, frame.color_range == AVCOL_RANGE_JPEG, colors,
                             1, 0, 1 << 16, 1 << 16);
    // libswscale may write past the end of a row.
    const int stride = (image.width * 3 + 2 * kRowAlignment - 1) / kRowAlignment * kRowAlignment;
    rows_.resize(static_cast<size_t>(stride) * static_cast<size_t>(image.height) + kRowAlignment);
    uint8_t* const planes[4] = {rows_.data(), nullptr, nullptr, nullptr};
    const int strides[4] = {stride, 0, 0, 0};
    if (sws_scale(context_.get(), frame.data, frame.linesize, 0, frame.height, planes, strides) !=
        image.height) {
      return std::nullopt;
    }
    image.rgb.resize(static_cast<size_t>(image.width) * static_cast<size_t>(image.height) * 3);
    for (int y = 0; y < image.height; ++y) {
      std::copy_n(rows_.begin() + int64_t{y} * stride, image.width * 3,
                  image.rgb.begin() + int64_t{y} * image.width * 3);
    }
    return image;
  }

 private:
  // Shrinks the side along which pixels are short.
  static void ApplyPixelShape(AVRational shape, Image* image) {
    constexpr int kMost = 8;
    if (shape.num < 1 || shape.den < 1 || shape.num == shape.den) return;
    if (shape.num / shape.den >= kMost || shape.den / shape.num >= kMost) return;
    int* side = shape.num > shape.den ? &image->height : &image->width;
    const int64_t smaller = std::min(shape.num, shape.den);
    *side = std::max(1, static_cast<int>(*side * smaller / std::max(shape.num, shape.den)));
  }

  const VideoLimits& limits_;
  AvHandle<SwsContext> context_;
  std::vector<uint8_t> rows_;
};

class VideoFile : public FrameSource {
 public:
  VideoFile(std::string_view file, const char* demuxer, const VideoLimits& limits)
      : file_(file), demuxer_(demuxer), limits_(limits), converter_(limits_) {}

  const std::vector<VideoPacket>& packets() const override { return packets_; }
  int64_t max_decoded() const override { return limits_.max_decoded_pixels / pixels_; }

  Status ReadTimes() {
    AvDemuxer demuxer;
    EG_RETURN_IF_ERROR(demuxer.Open(file_, demuxer_));
    EG_RETURN_IF_ERROR(CheckSize(*demuxer.video().codecpar));
    const AvHandle<AVPacket> packet(av_packet_alloc());
    if (!packet) return NoMemory();
    std::vector<int64_t> times;
    while (demuxer.Read(packet.get())) {
      const int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
      times.push_back(time);
      packets_.push_back({0, (packet->flags & AV_PKT_FLAG_KEY) != 0});
      av_packet_unref(packet.get());
      if (std::ssize(packets_) > limits_.max_packets) {
        return InvalidArgument("the video has more than {} frames", limits_.max_packets);
      }
    }
    if (packets_.empty()) return InvalidArgument("the video has no frames");
    SetTimes(demuxer.video(), std::move(times));
    for (const VideoPacket& one : packets_) {
      if (one.time_us > limits_.max_seconds * kMicroseconds.den) {
        return InvalidArgument("the video lasts longer than {} hours", limits_.max_seconds / 3600);
      }
    }
    return {};
  }

  Status Decode(const std::vector<size_t>& chosen, const TakeFrame& take) override {
    AvDemuxer demuxer;
    EG_RETURN_IF_ERROR(demuxer.Open(file_, demuxer_));
    EG_RETURN_IF_ERROR(OpenDecoder(demuxer.video()));
    orientation_ = OrientationOf(demuxer.video());
    wanted_.clear();
    for (const size_t index : chosen) wanted_[packets_[index].time_us] = true;
    const std::vector<bool> needed = NeededPackets(packets_, chosen);
    const AvHandle<AVPacket> packet(av_packet_alloc());
    if (!packet) return NoMemory();
    bool running = false;
    for (size_t i = 0; i < needed.size() && demuxer.Read(packet.get()); ++i) {
      if (needed[i]) {
        packet->pts = packet->dts = packets_[i].time_us;
        EG_RETURN_IF_ERROR(Send(packet.get(), take));
      } else if (running) {
        EG_RETURN_IF_ERROR(Drain(take));
      }
      running = needed[i];
      av_packet_unref(packet.get());
    }
    return Drain(take);
  }

 private:
  Status CheckSize(const AVCodecParameters& video) {
    const int64_t pixels = int64_t{video.width} * video.height;
    if (pixels > limits_.max_pixels) {
      return InvalidArgument("the video has {} x {} pixels: at most {} million are decoded",
                             video.width, video.height, limits_.max_pixels / 1'000'000);
    }
    pixels_ = pixels > 0 ? pixels : kGuessedPixels;
    return {};
  }

  // Sets the times of the packets, since the first one. `times`: in units of the stream, or
  // AV_NOPTS_VALUE.
  void SetTimes(const AVStream& stream, std::vector<int64_t> times) {
    AVRational unit = stream.time_base;
    if (std::find(times.begin(), times.end(), AV_NOPTS_VALUE) != times.end()) {
      const AVRational rate = stream.avg_frame_rate;
      unit = rate.num > 0 && rate.den > 0 ? AVRational{rate.den, rate.num} : kGuessedRate;
      for (size_t i = 0; i < times.size(); ++i) times[i] = static_cast<int64_t>(i);
    }
    const int64_t first = *std::min_element(times.begin(), times.end());
    for (size_t i = 0; i < times.size(); ++i) {
      const auto ticks = static_cast<uint64_t>(times[i]) - static_cast<uint64_t>(first);
      const auto capped = static_cast<int64_t>(std::min(ticks, uint64_t{INT64_MAX}));
      const int64_t time_us = av_rescale_q(capped, unit, kMicroseconds);
      packets_[i].time_us = time_us < 0 ? INT64_MAX : time_us;
    }
  }

  Status OpenDecoder(const AVStream& stream) {
    const AVCodec* codec = avcodec_find_decoder_by_name(DecoderNameOf(stream.codecpar->codec_id));
    if (codec == nullptr) {
      return Unimplemented("this machine's libavcodec has no decoder for {}",
                           avcodec_get_name(stream.codecpar->codec_id));
    }
    decoder_.reset(avcodec_alloc_context3(codec));
    frame_.reset(av_frame_alloc());
    if (!decoder_ || !frame_) return NoMemory();
    if (avcodec_parameters_to_context(decoder_.get(), stream.codecpar) < 0) return NoMemory();
    decoder_->thread_count = 1;
    decoder_->max_pixels = limits_.max_pixels;
    decoder_->pkt_timebase = kMicroseconds;
    decoder_->flags |= AV_CODEC_FLAG_BITEXACT;
    if (avcodec_open2(decoder_.get(), codec, nullptr) < 0) {
      return InvalidArgument("the video's {} stream cannot be decoded", codec->name);
    }
    return {};
  }

  // Decodes a packet. Null: the end. A damaged packet is skipped.
  Status Send(const AVPacket* packet, const TakeFrame& take) {
    int sent = avcodec_send_packet(decoder_.get(), packet);
    EG_RETURN_IF_ERROR(Receive(take));
    if (sent == AVERROR(EAGAIN)) {
      sent = avcodec_send_packet(decoder_.get(), packet);
      EG_RETURN_IF_ERROR(Receive(take));
    }
    return sent == AVERROR(ENOMEM) ? NoMemory() : Status();
  }

  Status Drain(const TakeFrame& take) {
    EG_RETURN_IF_ERROR(Send(nullptr, take));
    avcodec_flush_buffers(decoder_.get());
    return {};
  }

  Status Receive(const TakeFrame& take) {
    while (true) {
      const int error = avcodec_receive_frame(decoder_.get(), frame_.get());
      if (error == AVERROR(ENOMEM)) return NoMemory();
      if (error < 0) return {};
      Show(*frame_, take);
      av_frame_unref(frame_.get());
    }
  }

  // Passes the frame on if it was chosen. A frame that libav marks as damaged is left out.
  void Show(const AVFrame& frame, const TakeFrame& take) {
    const int64_t time = frame.pts;
    const auto wanted = wanted_.find(time);
    if (wanted == wanted_.end() || !wanted->second || time < last_time_) return;
    if ((frame.flags & AV_FRAME_FLAG_CORRUPT) != 0 || frame.decode_error_flags != 0) return;
    auto image = converter_.Convert(frame);
    if (!image) return;
    wanted->second = false;
    last_time_ = time;
    take(time, ApplyOrientation(*std::move(image), orientation_));
  }

  const std::string_view file_;
  const char* const demuxer_;
  const VideoLimits limits_;
  FrameConverter converter_;
  int64_t pixels_ = 1;
  std::vector<VideoPacket> packets_;
  AvHandle<AVCodecContext> decoder_;
  AvHandle<AVFrame> frame_;
  int orientation_ = 1;
  int64_t last_time_ = 0;
  std::map<int64_t, bool> wanted_;  // times of the chosen frames; false: the frame has come
};

}  // namespace

Result<std::unique_ptr<FrameSource>> OpenVideoFile(std::string_view file,
                                                   const VideoLimits& limits) {
  EG_ASSIGN_OR_RETURN(const char* const demuxer, DemuxerOf(file));
  auto video = std::make_unique<VideoFile>(file, demuxer, limits);
  EG_RETURN_IF_ERROR(video->ReadTimes());
  return std::unique_ptr<FrameSource>(std::move(video));
}

}  // namespace edgegate
