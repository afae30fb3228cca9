// Reads MP4, MOV, Matroska, WebM, AVI, MPEG-TS and GIF files through libav. Files are untrusted:
// only listed containers and codecs are opened, nothing but the given bytes is read, and libav's
// threads are not used. libav allocates and computes without other limits, so this code runs in a
// process of its own (server/worker/video_program.cc).
#pragma once

#include <memory>
#include <string_view>

#include "server/media/video/frame_source.h"

namespace edgegate {

// Opens a video and reads the times of its frames. The content decides the container, not a name.
// `file` must outlive the result. kInvalidArgument: the file is not a supported video, has no
// frames, or exceeds a limit; the message names the limit. kResourceExhausted: an allocation
// failed.
Result<std::unique_ptr<FrameSource>> OpenVideoFile(std::string_view file,
                                                   const VideoLimits& limits);

}  // namespace edgegate
