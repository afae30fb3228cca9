// The boundary between the server and the scheduler for embeddings: an EncodeRequest goes down, by
// move, and its embeddings come up through an EncodeHandle.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/status.h"
#include "scheduler/admission_limiter.h"

namespace edgegate {

struct EncodeRequest {
  // The client that gets a fair share of the model's capacity (GenerationRequest::client).
  std::string client;
  std::vector<std::vector<int32_t>> texts;  // at least one, each of at least one token
  std::optional<std::chrono::steady_clock::time_point> deadline;
};

// A request in the engine loop. The loop's thread and the server's thread share it.
class EncodeJob {
 public:
  using Clock = std::chrono::steady_clock;

  // `ticket` has a place for each text. `width`: floats of an embedding.
  EncodeJob(EncodeRequest request, AdmissionTicket ticket, int width)
      : request_(std::move(request)), ticket_(std::move(ticket)), width_(width) {
    embeddings_.resize(request_.texts.size() * static_cast<size_t>(width));
  }

  // For the server's thread.
  //
  // Waits until the request has ended or `until` passes. True: it has ended.
  bool Wait(Clock::time_point until) EG_EXCLUDES(mutex_);
  // Valid once Wait() has returned true.
  Status status() const EG_EXCLUDES(mutex_);
  const std::vector<float>& embeddings() const { return embeddings_; }
  // Asks the loop to end the request. Takes effect before the next batch.
  void Cancel() { cancelled_ = true; }

  // For the loop's thread.
  bool cancelled() const { return cancelled_; }
  const EncodeRequest& request() const { return request_; }
  // Takes the next text to compute. Precondition: has_next().
  int TakeNext() { return next_++; }
  int next() const { return next_; }
  bool has_next() const { return next_ < static_cast<int>(request_.texts.size()); }
  // Stores the embedding of a text. After the last one the request has ended. No effect if it has
  // ended before.
  void Deliver(int text, const float* embedding) EG_EXCLUDES(mutex_);
  // Ends the request with an error. No effect if it has ended.
  void Fail(const Status& status) EG_EXCLUDES(mutex_);
  bool ended() const EG_EXCLUDES(mutex_);

 private:
  void End(Status status) EG_EXCLUDES(mutex_);

  const EncodeRequest request_;
  AdmissionTicket ticket_;
  const int width_;
  int next_ = 0;
  int delivered_ = 0;              // texts
  std::vector<float> embeddings_;  // written by the loop's thread until the request has ended
  std::atomic<bool> cancelled_{false};

  mutable Mutex mutex_;
  CondVar changed_;
  bool ended_ EG_GUARDED_BY(mutex_) = false;
  Status status_ EG_GUARDED_BY(mutex_);
};

// The server's end of a running request. Owned by one thread. The destructor cancels the request.
class EncodeHandle {
 public:
  explicit EncodeHandle(std::shared_ptr<EncodeJob> job) : job_(std::move(job)) {}
  ~EncodeHandle() { job_->Cancel(); }
  EncodeHandle(const EncodeHandle&) = delete;
  EncodeHandle& operator=(const EncodeHandle&) = delete;

  // Waits until the request has ended or `until` passes. True: it has ended.
  bool Wait(EncodeJob::Clock::time_point until) { return job_->Wait(until); }
  // Valid once Wait() has returned true. kDeadlineExceeded, kUnavailable, kDataLoss, or an error of
  // the encoder.
  Status status() const { return job_->status(); }
  // The embeddings of all texts, float [texts][width]. Valid if status() is OK.
  const std::vector<float>& embeddings() const { return job_->embeddings(); }

 private:
  const std::shared_ptr<EncodeJob> job_;
};

}  // namespace edgegate
