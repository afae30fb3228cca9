// Media in prompts: the items that a model takes, and the encoder that converts an item to rows of
// the decoder. A family of media models implements MediaConfig and MediaEncoder (engine/family/).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

enum class MediaKind : uint8_t { kImage, kVideo, kAudio };

// Size of an image or of a video's frames, in pixels.
struct MediaShape {
  int frames = 1;
  int height = 0;
  int width = 0;
};

// An item of a prompt, decoded and prepared for the model. A copy is cheap, because copies share
// the immutable content.
struct MediaItem {
  MediaKind kind = MediaKind::kImage;
  // Images and video: [frames][height][width][3] bytes; red, green, blue.
  std::shared_ptr<const std::vector<uint8_t>> pixels;
  MediaShape shape;
  // Audio: samples of one channel, -1 to 1.
  std::shared_ptr<const std::vector<float>> samples;
  int sample_rate = 0;  // Hz
  // Identifies the content in caches and prefix keys. Items with equal keys must have equal rows.
  std::string key;
};

// Returns an image of `size` x `size` pixels.
inline MediaItem SquareImage(std::shared_ptr<const std::vector<uint8_t>> pixels, int size,
                             std::string key) {
  MediaItem item;
  item.pixels = std::move(pixels);
  item.shape = {1, size, size};
  item.key = std::move(key);
  return item;
}

// A position on up to three axes: time, height and width (M-RoPE, Wang et al. 2024,
// arXiv:2409.12191). Text has the same value on all axes.
using RopePosition = std::array<int32_t, 3>;

// The number of tokens of an item in a prompt, and their positions.
struct MediaLayout {
  int rows = 0;  // number of tokens that its rows replace; at least 1
  // Position of each row relative to the first one. Empty: consecutive positions, as for text.
  std::vector<RopePosition> positions = {};
  // Distance from the position of the first row to that of the token after the item. If `positions`
  // is empty, this is ignored and the distance is `rows`.
  int32_t advance = 0;
};

// An encoded item: the rows that replace the embeddings of its tokens, and rows that are added to
// their hidden states after the first decoder layers (DeepStack, Meng et al. 2024,
// arXiv:2406.04334). Immutable once shared.
struct MediaEmbedding {
  int rows = 0;
  int width = 0;                 // the decoder's hidden_size
  int deep_layers = 0;           // rows are added after decoder layers 0 .. deep_layers - 1
  std::vector<float> data = {};  // [1 + deep_layers][rows][width]

  // Returns row `row` of the rows that replace embeddings.
  const float* Row(int row) const { return data.data() + int64_t{row} * width; }
  // Returns row `row` of the rows that are added after decoder layer `layer`.
  const float* DeepRow(int layer, int row) const { return Row((1 + layer) * rows + row); }
  int64_t bytes() const { return static_cast<int64_t>(data.size() * sizeof(float)); }
};
using SharedEmbedding = std::shared_ptr<const MediaEmbedding>;

// The media that a model takes, from its config. Immutable: any thread may call any method.
class MediaConfig {
 public:
  virtual ~MediaConfig() = default;

  // Returns the registered name of the family (engine/family/registry.h).
  virtual const char* family() const = 0;
  // Returns the layout of an item, which may depend on its shape. kInvalidArgument: the model does
  // not take items of this kind or shape.
  virtual Result<MediaLayout> Layout(const MediaItem& item) const = 0;
  // Returns the id of the media token, which the rows replace. -1: the tokenizer's
  // <|begin_of_image|>.
  virtual int32_t token_id() const = 0;
  // Returns the side of the square that an image is fitted to, in pixels (image/prepare_image.h).
  // 0: the model takes no images.
  virtual int image_size() const = 0;
  // Returns the fields as a JSON object, for a bundle's manifest.
  virtual std::string ToJson() const = 0;
};

// Encodes one item at a time, in slices of some milliseconds, so that decoder steps may run between
// two slices. The bytes of the rows depend on the item only. They do not depend on the work between
// slices or on the number of threads. Called by the engine loop's thread only.
class MediaEncoder {
 public:
  virtual ~MediaEncoder() = default;

  // Starts an item, and drops an unfinished one. kInvalidArgument: see MediaConfig::Layout().
  virtual Status Begin(const MediaItem& item) = 0;
  // Computes the next slice of the current item. Returns true if it was the last one.
  virtual Result<bool> Slice() = 0;
  // Returns the rows, as many as Layout() gives. Call it once, after the last slice.
  virtual Result<MediaEmbedding> End() = 0;
};

}  // namespace edgegate
