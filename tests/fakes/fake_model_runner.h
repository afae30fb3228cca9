// A model runner without a model. Its logits are a hash of the sequence's tokens, which it reads
// through the block table. A wrong, stale or wrongly shared block, a wrong context length or a
// wrong image changes the output. It also checks ForwardBatch's contract.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "engine/model/model_runner.h"

namespace edgegate {

// The config of images of any size, with 1 + width rows. With several axes, row r is at height r /
// 2 and width r % 2, and the text continues 2 positions after the first row.
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

// Makes an image of one color. Its key is `key`, or the color if `key` is empty.
MediaItem FakeImage(uint8_t color, int width = 2, int height = 2, const std::string& key = "");

class FakeModelRunner : public ModelRunner, private MediaEncoder {
 public:
  explicit FakeModelRunner(const RunnerLimits& limits);

  const RunnerLimits& limits() const override { return limits_; }
  Result<ForwardOutput> Forward(const ForwardBatch& batch) override;
  void CopyBlock(int32_t from, int32_t to) override;
  // Each image takes three slices.
  MediaEncoder* media_encoder() override { return this; }

  // Returns the token that replaces row `row` of an image in the hash.
  static int32_t ImageToken(const std::vector<uint8_t>& pixels, int row);

  // Returns the logits row after these tokens, computed without blocks. The last token makes one
  // next token likely, so that sequences often repeat themselves.
  static std::vector<float> Logits(const std::vector<int32_t>& tokens, int vocab_size);

  // Number of following calls that fail.
  std::atomic<int> fail_next{0};
  // Forward() blocks while it is true.
  std::atomic<bool> held{false};
  // Percentage of rows, chosen by a hash of the tokens before them, that have a different most
  // likely token. For draft models.
  std::atomic<int> wrong_percent{0};
  // Duration of a slice.
  std::atomic<int> slice_ms{0};
  // Returns the first violation of the contract. Empty: none.
  const std::string& violation() const { return violation_; }
  int calls() const { return calls_; }  // of Forward()

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
  MediaItem item_;  // the current item
  int slices_left_ = 0;
};

}  // namespace edgegate
