#include "server/worker/video_job.h"

#include <utility>

#include "engine/base/sha256.h"
#include "server/worker/wire.h"

namespace edgegate {

std::string VideoJobMessage(const VideoInput& video, const VideoSampling& sampling,
                            const VideoLimits& limits, int64_t memory) {
  WireWriter job;
  job.Put(static_cast<uint64_t>(memory));
  job.Put(sampling.size).Put(sampling.max_images).Put(sampling.sheet_frames);
  job.Put(sampling.always_sheet).Put(sampling.fps);
  job.Put(limits.max_pixels).Put(limits.max_packets).Put(limits.max_seconds);
  job.Put(limits.max_decoded_pixels);
  job.Put(video.jpegs).Put(static_cast<uint32_t>(video.files.size()));
  for (const std::string& file : video.files) job.PutString(file);
  return job.Take();
}

uint64_t MemoryOfVideoJob(std::string_view message) { return WireReader(message).Get<uint64_t>(); }

Result<VideoJob> ReadVideoJob(std::string_view message) {
  WireReader reader(message);
  VideoJob job;
  reader.Get<uint64_t>();  // the memory
  job.sampling.size = reader.Get<int>();
  job.sampling.max_images = reader.Get<int>();
  job.sampling.sheet_frames = reader.Get<int>();
  job.sampling.always_sheet = reader.GetBool();
  job.sampling.fps = reader.Get<double>();
  job.limits.max_pixels = reader.Get<int64_t>();
  job.limits.max_packets = reader.Get<int>();
  job.limits.max_seconds = reader.Get<int64_t>();
  job.limits.max_decoded_pixels = reader.Get<int64_t>();
  job.jpegs = reader.GetBool();
  const auto count = reader.Get<uint32_t>();
  for (uint32_t i = 0; i < count && reader.ok(); ++i) job.files.push_back(reader.GetString());
  if (!reader.ok() || job.files.empty()) return Internal("the job of a video is damaged");
  return job;
}

std::string VideoAnswer(const Result<std::vector<VideoImage>>& result) {
  WireWriter answer;
  answer.Put(result.status().code()).PutString(result.status().message());
  if (!result.ok()) return answer.Take();
  answer.Put(static_cast<uint32_t>(result->size()));
  for (const VideoImage& image : *result) {
    Sha256 hash;
    hash.Update(image.pixels.data(), image.pixels.size());
    answer.PutVector(image.times_us).Put(image.columns).PutVector(image.pixels);
    answer.PutString(hash.Finish());
  }
  return answer.Take();
}

Result<std::vector<PreparedVideoImage>> OpenVideoAnswer(std::string_view message, int size) {
  const Status malformed = Internal("the answer of the video decoder is malformed");
  WireReader reader(message);
  const auto code = reader.Get<StatusCode>();
  const std::string_view text = reader.GetString();
  if (!reader.ok() || code < StatusCode::kOk || code > StatusCode::kInternal) return malformed;
  if (code != StatusCode::kOk) return Status(code, std::string(text));
  const size_t bytes = size_t{3} * static_cast<size_t>(size) * static_cast<size_t>(size);
  std::vector<PreparedVideoImage> images;
  const auto count = reader.Get<uint32_t>();
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    PreparedVideoImage one;
    one.image.times_us = reader.GetVector<int64_t>();
    one.image.columns = reader.Get<int>();
    one.image.pixels = reader.GetVector<uint8_t>();
    one.sha256 = reader.GetString();
    if (one.image.times_us.empty() || one.image.pixels.size() != bytes) return malformed;
    images.push_back(std::move(one));
  }
  if (!reader.ok() || images.empty()) return malformed;
  return images;
}

}  // namespace edgegate
