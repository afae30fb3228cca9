// A model runner without a model: its logits are a hash of the sequence's tokens, read back through
// the block table. A wrong block, a stale or shared one that should not be, a wrong context length:
// each changes the output, as does a wrong image. It also checks ForwardBatch's contract.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "engine/model/model_runner.h"

namespace edgegate {

// Images of any size, of 1 + width rows. With several axes, row r is at height r / 2 and width r %
// 2, and the text goes on 2 positions after the first row.
class FakeMedia : public MediaConfig {
 public:
  explicit FakeMedia(bool several_axes = false) : several_axes_(several_axes) {}
  const char* family() const override { return "fake"; }
  Result<MediaLayout> Layout(const MediaItem& item) const override;
  int32_t token_id() const override { return -1; }
  int image_size() const override { return 2; }
  std::string ToJson() const override { return "{}"; }

 private:
  const bool several_axes_;
};

// An image of one color. Its key is `key`, or the color where that is empty.
MediaItem FakeImage(uint8_t color, int width = 2, int height = 2, const std::string& key = "");

class FakeModelRunner : public ModelRunner, private MediaEncoder {
 public:
  explicit FakeModelRunner(const RunnerLimits& limits);

  const RunnerLimits& limits() const override { return limits_; }
  Result<ForwardOutput> Forward(const ForwardBatch& batch) override;
  // Each image takes three slices.
  MediaEncoder* media_encoder() override { return this; }

  // The value in the sequence that stands for row `row` of an image.
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
  // The time of a slice.
  std::atomic<int> slice_ms{0};
  // The first broken contract, or empty.
  const std::string& violation() const { return violation_; }
  int calls() const { return calls_; }  // of Forward

 private:
  Status Begin(const MediaItem& item) override;
  Result<bool> Slice() override;
  Result<MediaEmbedding> End() override;
  void Check(const ForwardBatch& batch);

  const RunnerLimits limits_;
  std::vector<int32_t> memory_;  // a token for each position of each block
  std::vector<float> logits_;
  std::string violation_;
  int calls_ = 0;
  MediaItem item_;  // under way
  int slices_left_ = 0;
};

}  // namespace edgegate
