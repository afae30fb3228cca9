// One text encoder's part of the engine loop. A batch is computed in slices, so that steps of other
// models may run between two slices.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/model/text_encoder.h"
#include "scheduler/encode_queue.h"
#include "scheduler/loop_member.h"
#include "scheduler/weight_check.h"

namespace edgegate {

// Called by the engine loop's thread only, except for the methods that are marked thread-safe.
class EncoderLoop : public LoopMember {
 public:
  // Maximum number of texts that wait. One request has up to 2,048.
  static constexpr int kMaxTexts = 4096;

  // `check_weights`: see EngineLoop::AddModel.
  explicit EncoderLoop(std::unique_ptr<TextEncoder> encoder,
                       std::function<Status()> check_weights = nullptr);

  // Returns an error if the request can never be computed: kInvalidArgument, naming the limit.
  // Thread-safe.
  Status Check(const EncodeRequest& request) const;
  // Fixed limits of the encoder. Thread-safe.
  const TextEncoderLimits& limits() const { return limits_; }

  AdmissionLimiter* limiter() const override { return limiter_.get(); }
  Status failure() const override { return weights_.failure(); }

  // Takes a request that passed Check().
  void Add(std::shared_ptr<EncodeJob> job);

  void CancelAll() override;
  void Sweep(Clock::time_point now) override;
  bool HasWork() const override { return !batch_.empty() || !queue_.empty(); }
  bool HasRunning() const override { return HasWork(); }
  // Computes slices: one if others run, else as many as fit into some time.
  bool Step(bool others_running) override;
  EngineSnapshot::Model snapshot() const override;

 private:
  bool Slice(bool others_running);
  Status Compute(int max_tokens, bool* complete);
  int TokensOfSlice(bool others_running) const;
  void FailBatch(const Status& status);
  void Visit(const std::function<void(EncodeJob*)>& visit);

  const std::unique_ptr<TextEncoder> encoder_;
  const TextEncoderLimits limits_;
  const std::shared_ptr<AdmissionLimiter> limiter_;
  WeightCheck weights_;
  EncodeQueue queue_;
  std::vector<EncodeQueue::Item> batch_;  // under way; empty: none
  int batch_tokens_ = 0;
  bool begun_ = false;             // the encoder has begun the batch
  Clock::duration token_cost_{0};  // of a slice, per token; 0: not known
  uint64_t tokens_encoded_ = 0;
  uint64_t texts_encoded_ = 0;
};

}  // namespace edgegate
