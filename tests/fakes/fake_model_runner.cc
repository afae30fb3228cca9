#include "tests/fakes/fake_model_runner.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>

namespace edgegate {

FakeModelRunner::FakeModelRunner(const RunnerLimits& limits)
    : limits_(limits), memory_(static_cast<size_t>(limits.num_blocks) * limits.block_size, -1) {}

std::vector<float> FakeModelRunner::Logits(const std::vector<int32_t>& tokens, int vocab_size) {
  uint64_t state = 1469598103934665603u;
  for (int32_t token : tokens) state = (state ^ static_cast<uint64_t>(token)) * 1099511628211u;
  std::vector<float> row(static_cast<size_t>(vocab_size));
  for (float& logit : row) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    logit = static_cast<float>(state >> 40) / (1 << 21);
  }
  row[static_cast<size_t>(tokens.back() * 7 + 3) % row.size()] += 7;
  return row;
}

void FakeModelRunner::Check(const ForwardBatch& batch) {
  auto require = [&](bool good, const char* what) {
    if (!good && violation_.empty()) violation_ = what;
  };
  require(
      !batch.tokens.empty() && static_cast<int>(batch.tokens.size()) <= limits_.max_batched_tokens,
      "token budget");
  require(static_cast<int>(batch.logits_rows.size()) <= limits_.max_logits_rows, "logits budget");
  std::set<int64_t> written;
  int next = 0;
  for (const SequenceSpan& span : batch.spans) {
    require(span.first == next && span.count > 0, "spans in order");
    next += span.count;
    require(span.context_len + span.count <= limits_.max_model_len, "context length");
    for (int i = span.context_len; i < span.context_len + span.count; ++i) {
      const size_t block = static_cast<size_t>(i / limits_.block_size);
      require(block < span.block_table.size(), "block table covers the span");
      if (block >= span.block_table.size()) return;
      const int64_t slot =
          int64_t{span.block_table[block]} * limits_.block_size + i % limits_.block_size;
      require(written.insert(slot).second, "two spans write one place");
    }
  }
  require(next == static_cast<int>(batch.tokens.size()), "spans cover the tokens");
  for (const MediaSpan& media : batch.media) {
    require(media.row >= 0 && media.row + media.count <= media.embedding->rows, "media rows");
  }
  require(batch.positions.size() == (limits_.position_axes > 1 ? batch.tokens.size() : 0),
          "positions where the model has several axes");
}

int32_t FakeModelRunner::ImageToken(const std::vector<uint8_t>& pixels, int row) {
  uint32_t hash = 2166136261u;
  for (uint8_t byte : pixels) hash = (hash ^ byte) * 16777619u;
  return static_cast<int32_t>(1000 + hash % 100000 * 10 + static_cast<uint32_t>(row));
}

Result<MediaLayout> FakeMedia::Layout(const MediaItem& item) const {
  const MediaShape& shape = item.shape;
  const auto bytes = static_cast<size_t>(shape.width) * shape.height * 3;
  if (item.kind != MediaKind::kImage || !item.pixels || item.pixels->size() != bytes) {
    return InvalidArgument("no image of the fake model");
  }
  MediaLayout layout{.rows = 1 + shape.width, .positions = {}, .advance = 2};
  for (int row = 0; several_axes_ && row < layout.rows; ++row) {
    layout.positions.push_back({0, row / 2, row % 2});
  }
  return layout;
}

MediaItem FakeImage(uint8_t color, int width, int height, const std::string& key) {
  MediaItem item;
  item.pixels = std::make_shared<std::vector<uint8_t>>(width * height * 3, color);
  item.shape = {1, height, width};
  item.key = key.empty() ? std::to_string(color) : key;
  return item;
}

Status FakeModelRunner::Begin(const MediaItem& item) {
  EG_RETURN_IF_ERROR(limits_.media->Layout(item).status());
  item_ = item;
  slices_left_ = 3;
  return {};
}

Result<bool> FakeModelRunner::Slice() {
  if (slices_left_ == 0) return Internal("no image was begun");
  if (fail_next > 0) {
    --fail_next;
    return Internal("told to fail");
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(slice_ms));
  return --slices_left_ == 0;
}

Result<MediaEmbedding> FakeModelRunner::End() {
  if (slices_left_ > 0 || !item_.pixels) return Internal("no image is complete");
  MediaEmbedding embedding{.rows = 1 + item_.shape.width, .width = limits_.hidden_size};
  for (int row = 0; row < embedding.rows; ++row) {
    embedding.data.insert(embedding.data.end(), static_cast<size_t>(embedding.width),
                          static_cast<float>(ImageToken(*item_.pixels, row)));
  }
  item_ = {};
  return embedding;
}

void FakeModelRunner::CopyBlock(int32_t from, int32_t to) {
  if (std::min(from, to) < 0 || std::max(from, to) >= limits_.num_blocks || from == to) {
    violation_ = "copy of a block to or from a wrong one";
    return;
  }
  std::copy_n(memory_.begin() + from * limits_.block_size, limits_.block_size,
              memory_.begin() + to * limits_.block_size);
}

Result<ForwardOutput> FakeModelRunner::Forward(const ForwardBatch& batch) {
  while (held) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ++calls_;
  Check(batch);
  if (!violation_.empty()) return Internal("contract: {}", violation_);
  if (fail_next > 0) {
    --fail_next;
    return Internal("told to fail");
  }
  auto slot = [&](const SequenceSpan& span, int position) -> int32_t& {
    const int32_t block = span.block_table[static_cast<size_t>(position / limits_.block_size)];
    return memory_[block * limits_.block_size + position % limits_.block_size];
  };
  logits_.clear();
  for (const SequenceSpan& span : batch.spans) {
    for (int i = 0; i < span.count; ++i) {
      slot(span, span.context_len + i) = batch.tokens[span.first + i];
    }
  }
  for (const MediaSpan& media : batch.media) {
    for (const SequenceSpan& span : batch.spans) {
      for (int i = 0; i < media.count; ++i) {
        const int index = media.first + i - span.first;
        if (index < 0 || index >= span.count) continue;
        slot(span, span.context_len + index) =
            static_cast<int32_t>(*media.embedding->Row(media.row + i));
      }
    }
  }
  for (int32_t row : batch.logits_rows) {
    for (const SequenceSpan& span : batch.spans) {
      if (row < span.first || row >= span.first + span.count) continue;
      std::vector<int32_t> tokens;
      for (int p = 0; p <= span.context_len + row - span.first; ++p)
        tokens.push_back(slot(span, p));
      auto logits = Logits(tokens, limits_.vocab_size);
      if (static_cast<int>(logits[0] * (1 << 20)) % 100 < wrong_percent) {
        std::rotate(logits.begin(), logits.begin() + 1, logits.end());
      }
      logits_.insert(logits_.end(), logits.begin(), logits.end());
    }
  }
  return ForwardOutput{logits_.data(), nullptr};
}

}  // namespace edgegate
