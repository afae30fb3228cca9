// The daemon's side of decoding videos. Each video is decoded by a process of its own, the program
// edgegate-video, which has the data of this video only.
#pragma once

#include <string>
#include <vector>

#include "server/worker/job_slots.h"
#include "server/worker/process.h"
#include "server/worker/video_job.h"

namespace edgegate {

// Provides its own synchronization. Decodes one video at a time; others wait, and clients take
// turns.
class VideoDecoder {
 public:
  struct Options {
    std::chrono::milliseconds cpu{10000};  // processor time for a video
    int64_t memory = int64_t{160} << 20;   // bytes of private memory for a video, beside its file
    int max_waiting = 256;                 // videos that wait
  };

  explicit VideoDecoder(const Options& options);

  // Returns the images of the video, at least one. kInvalidArgument: the video is wrong, or exceeds
  // a limit, which the message names. kUnavailable: too many videos wait, or the program cannot be
  // started. kUnimplemented: the program is not installed. kCancelled: the context was cancelled.
  Result<std::vector<PreparedVideoImage>> Decode(const VideoInput& video,
                                                 const VideoSampling& sampling,
                                                 const JobContext& context);

  // Refuses all further videos, and ends those that are decoded.
  void Close() { slots_.Close(); }

  // Sets the path of the program. The default is edgegate-video beside this program, or in
  // ../libexec/edgegate. For tests. Call it before any video is decoded.
  static void SetProgram(std::string path);

 private:
  const JobLimits limits_;
  VideoLimits video_limits_;
  JobSlots slots_;
};

}  // namespace edgegate
