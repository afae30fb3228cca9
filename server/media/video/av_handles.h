// Owners of libav's objects.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string_view>

#include "engine/base/status.h"

namespace edgegate {

struct FreeAv {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(SwsContext* context) const { sws_freeContext(context); }
};
template <typename T>
using AvHandle = std::unique_ptr<T, FreeAv>;

// A container that is read from memory. Owned by one thread.
class AvDemuxer {
 public:
  AvDemuxer() = default;
  AvDemuxer(const AvDemuxer&) = delete;
  AvDemuxer& operator=(const AvDemuxer&) = delete;
  ~AvDemuxer();

  // Opens the container with libav's demuxer of this name, and selects its video. `file` must
  // outlive the demuxer. Call it once. Errors: as OpenVideoFile().
  Status Open(std::string_view file, const char* demuxer);

  // Returns the video. Precondition: Open() returned ok.
  const AVStream& video() const { return *format_->streams[stream_]; }
  // Reads the next packet of the video. False: there are no more, or the rest is damaged.
  bool Read(AVPacket* packet);

 private:
  static int ReadBytes(void* self, uint8_t* bytes, int size);
  static int64_t Seek(void* self, int64_t offset, int whence);
  Status SelectStream();

  std::string_view file_;
  size_t at_ = 0;
  AVIOContext* io_ = nullptr;
  AVFormatContext* format_ = nullptr;
  unsigned stream_ = 0;
};

// Returns the name of libav's decoder for a codec. Null: it is not supported.
const char* DecoderNameOf(AVCodecID codec);

// Returns the demuxer for a file, by its first bytes. kInvalidArgument: no supported container.
Result<const char*> DemuxerOf(std::string_view file);

}  // namespace edgegate
