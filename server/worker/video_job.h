// The messages between the daemon and the program that decodes one video.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "server/media/video/sample_video.h"

namespace edgegate {

// The socket of the program to the daemon.
inline constexpr int kVideoSocket = 3;

// A video as a client sends it: one file, or a list of JPEG files.
struct VideoInput {
  std::vector<std::string> files;
  bool jpegs = false;
};

// An image of the result, and the SHA-256 of its pixels in hex digits.
struct PreparedVideoImage {
  VideoImage image;
  std::string sha256;
};

// `memory`: bytes of private memory that the program may add.
std::string VideoJobMessage(const VideoInput& video, const VideoSampling& sampling,
                            const VideoLimits& limits, int64_t memory);
// Returns the memory in a job's message. 0: the message is damaged.
uint64_t MemoryOfVideoJob(std::string_view message);

// A job as the program reads it. Its files are views of the message.
struct VideoJob {
  VideoSampling sampling;
  VideoLimits limits;
  std::vector<std::string_view> files;  // at least one
  bool jpegs = false;
};
// kInternal: the message is damaged.
Result<VideoJob> ReadVideoJob(std::string_view message);

// Returns the message of an answer.
std::string VideoAnswer(const Result<std::vector<VideoImage>>& result);
// Returns the result in an answer, or its error. `size`: side of the images, in pixels. kInternal:
// the answer is malformed.
Result<std::vector<PreparedVideoImage>> OpenVideoAnswer(std::string_view message, int size);

}  // namespace edgegate
