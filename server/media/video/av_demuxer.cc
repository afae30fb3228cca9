#include <algorithm>
#include <cstring>
#include <string>

#include "server/media/video/av_handles.h"

namespace edgegate {
namespace {

constexpr const char* kDemuxers = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,gif";
constexpr const char* kDecoders = "h264,hevc,vp8,vp9,libdav1d,mpeg4,mjpeg,gif";
constexpr const char* kMaxStreams = "16";
constexpr size_t kIoBuffer = size_t{64} << 10;
constexpr size_t kTsPacket = 188, kM2tsPacket = 192;

struct Codec {
  AVCodecID id;
  const char* decoder;
};
constexpr Codec kCodecs[] = {
    {AV_CODEC_ID_H264, "h264"},   {AV_CODEC_ID_HEVC, "hevc"},    {AV_CODEC_ID_VP8, "vp8"},
    {AV_CODEC_ID_VP9, "vp9"},     {AV_CODEC_ID_AV1, "libdav1d"}, {AV_CODEC_ID_MPEG4, "mpeg4"},
    {AV_CODEC_ID_MJPEG, "mjpeg"}, {AV_CODEC_ID_GIF, "gif"},
};

// True if packets of `size` bytes begin with the sync byte, from `first` on.
bool IsTransportStream(std::string_view file, size_t first, size_t size) {
  size_t packets = 0;
  for (size_t at = first; at < file.size() && packets < 5; at += size, ++packets) {
    if (file[at] != 0x47) return false;
  }
  return packets >= 2;
}

// Returns what a file is that is no supported video, for the error message.
const char* Recognize(std::string_view file) {
  if (file.empty()) return "empty";
  if (file.starts_with("#EXTM3U") || file.starts_with("ffconcat") || file.starts_with("<MPD")) {
    return "a playlist";
  }
  if (file.starts_with("\xff\xd8\xff") || file.starts_with("\x89PNG")) return "an image";
  if (file.starts_with("<")) return "a text";
  if (file.starts_with("FLV")) return "an FLV file";
  if (file.starts_with("OggS")) return "an Ogg file";
  return "of an unknown type";
}

// Refuses to open another file or address that a container names.
int RefuseToOpen(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EACCES);
}

Status OpenError(int error) {
  if (error == AVERROR(ENOMEM)) {
    return ResourceExhausted("there is not enough memory to decode the video");
  }
  return InvalidArgument("the video cannot be opened: it is damaged or cut short");
}

}  // namespace

const char* DecoderNameOf(AVCodecID codec) {
  for (const Codec& one : kCodecs) {
    if (one.id == codec) return one.decoder;
  }
  return nullptr;
}

Result<const char*> DemuxerOf(std::string_view file) {
  if (file.size() >= 12) {
    for (const char* box : {"ftyp", "moov", "mdat", "wide", "free", "skip", "styp"}) {
      if (file.substr(4, 4) == box) return "mov";
    }
  }
  if (file.starts_with("\x1a\x45\xdf\xa3")) return "matroska";
  if (file.starts_with("RIFF") && file.size() >= 12 && file.substr(8, 4) == "AVI ") return "avi";
  if (file.starts_with("GIF87a") || file.starts_with("GIF89a")) return "gif";
  if (IsTransportStream(file, 0, kTsPacket) || IsTransportStream(file, 4, kM2tsPacket)) {
    return "mpegts";
  }
  return InvalidArgument(
      "the video is {}: MP4, MOV, Matroska, WebM, AVI, MPEG-TS and GIF files are supported",
      Recognize(file));
}

AvDemuxer::~AvDemuxer() {
  avformat_close_input(&format_);
  if (io_ == nullptr) return;
  av_freep(&io_->buffer);
  avio_context_free(&io_);
}

int AvDemuxer::ReadBytes(void* self, uint8_t* bytes, int size) {
  auto* demuxer = static_cast<AvDemuxer*>(self);
  const size_t left = demuxer->file_.size() - demuxer->at_;
  const size_t count = std::min(left, static_cast<size_t>(size));
  if (count == 0) return AVERROR_EOF;
  std::memcpy(bytes, demuxer->file_.data() + demuxer->at_, count);
  demuxer->at_ += count;
  return static_cast<int>(count);
}

int64_t AvDemuxer::Seek(void* self, int64_t offset, int whence) {
  auto* demuxer = static_cast<AvDemuxer*>(self);
  const auto size = static_cast<int64_t>(demuxer->file_.size());
  if ((whence & AVSEEK_SIZE) != 0) return size;
  whence &= ~AVSEEK_FORCE;
  int64_t base = 0;
  if (whence == SEEK_CUR) base = static_cast<int64_t>(demuxer->at_);
  if (whence == SEEK_END) base = size;
  if (offset < -base || offset > size - base) return AVERROR(EINVAL);
  demuxer->at_ = static_cast<size_t>(base + offset);
  return base + offset;
}

Status AvDemuxer::Open(std::string_view file, const char* demuxer) {
  av_log_set_level(AV_LOG_QUIET);
  file_ = file;
  auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBuffer));
  if (buffer == nullptr) return OpenError(AVERROR(ENOMEM));
  io_ = avio_alloc_context(buffer, static_cast<int>(kIoBuffer), 0, this, ReadBytes, nullptr, Seek);
  if (io_ == nullptr) {
    av_free(buffer);
    return OpenError(AVERROR(ENOMEM));
  }
  format_ = avformat_alloc_context();
  if (format_ == nullptr) return OpenError(AVERROR(ENOMEM));
  format_->pb = io_;
  format_->io_open = RefuseToOpen;
  AVDictionary* options = nullptr;
  av_dict_set(&options, "format_whitelist", kDemuxers, 0);
  av_dict_set(&options, "codec_whitelist", kDecoders, 0);
  av_dict_set(&options, "protocol_whitelist", "", 0);
  av_dict_set(&options, "max_streams", kMaxStreams, 0);
  // On an error, this frees the context and sets it to null.
  const int error = avformat_open_input(&format_, "", av_find_input_format(demuxer), &options);
  av_dict_free(&options);
  return error < 0 ? OpenError(error) : SelectStream();
}

// Selects the first video that is no cover image. libav drops the packets of the other streams.
Status AvDemuxer::SelectStream() {
  const AVStream* found = nullptr;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream* stream = format_->streams[i];
    stream->discard = AVDISCARD_ALL;
    if (found != nullptr || stream->codecpar->codec_type != AVMEDIA_TYPE_VIDEO ||
        (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) {
      continue;
    }
    stream->discard = AVDISCARD_DEFAULT;
    found = stream;
    stream_ = i;
  }
  if (found == nullptr) return InvalidArgument("the file has no video");
  if (DecoderNameOf(found->codecpar->codec_id) == nullptr) {
    return InvalidArgument(
        "the video is coded as {}: H.264, HEVC, VP8, VP9, AV1, MPEG-4, MJPEG and GIF are supported",
        avcodec_get_name(found->codecpar->codec_id));
  }
  return {};
}

bool AvDemuxer::Read(AVPacket* packet) {
  while (av_read_frame(format_, packet) >= 0) {
    if (packet->stream_index == static_cast<int>(stream_)) return true;
    av_packet_unref(packet);
  }
  return false;
}

}  // namespace edgegate
