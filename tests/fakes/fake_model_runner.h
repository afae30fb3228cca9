// A model runner without a model: its logits are a hash of the sequence's tokens, read back through
// the block table. A wrong block, a stale or shared one that should not be, a wrong context length:
// each changes the output, as does a wrong picture. It also checks ForwardBatch's contract.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "engine/model/model_runner.h"

namespace edgegate {

class FakeModelRunner : public ModelRunner {
 public:
  explicit FakeModelRunner(const RunnerLimits& limits);

  const RunnerLimits& limits() const override { return limits_; }
  Result<ForwardOutput> Forward(const ForwardBatch& batch) override;
  Status BeginImage(PreparedPixels pixels) override;
  Result<bool> EncodeUnit(float* rows) override;

  // What stands in the sequence for row `row` of a picture.
  static int32_t ImageToken(const std::vector<uint8_t>& pixels, int row);

  // The logits row after these tokens, computed without blocks. The last token makes another one
  // likely, so that sequences repeat themselves, though not always.
  static std::vector<float> Logits(const std::vector<int32_t>& tokens, int vocab_size);

  // The next calls fail.
  std::atomic<int> fail_next{0};
  // Forward() does not end while it is set.
  std::atomic<bool> held{false};
  // Of a hundred rows, by what they follow, so many have another likeliest token: a draft model.
  std::atomic<int> wrong_percent{0};
  // What a unit of encoding takes.
  std::atomic<int> unit_ms{0};
  // The first broken contract, or empty.
  const std::string& violation() const { return violation_; }
  int calls() const { return calls_; }  // of Forward

 private:
  void Check(const ForwardBatch& batch);

  const RunnerLimits limits_;
  std::vector<int32_t> memory_;  // a token for each position of each block
  std::vector<float> logits_;
  std::string violation_;
  int calls_ = 0;
  PreparedPixels pixels_;
  int units_left_ = 0;
};

}  // namespace edgegate
