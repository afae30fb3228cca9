// The image encoder of GLM-Edge-V: the tower and the adapter, on packed INT8 or INT16 weights, with
// float32 sums. Attention is in INT8 if the tower's layers are INT8 and the processor has vpdpbusd,
// otherwise in bf16. A slice is some hundred rows of half a layer.
#pragma once

#include <memory>

#include "engine/family/glm_edge_v/config.h"
#include "engine/family/glm_edge_v/weights.h"
#include "engine/family/media_family.h"
#include "engine/model/media.h"

namespace edgegate::glm_edge_v {

// Encodes one image at a time. Owned by one thread.
class Encoder : public MediaEncoder {
 public:
  // Allocates the buffers. `weights` are views whose memory must outlive the encoder. `text_size`
  // is the decoder's hidden_size. Throws std::bad_alloc.
  Encoder(const Weights& weights, const Config& config, int text_size,
          const MediaEncoderOptions& options);
  ~Encoder() override;

  Status Begin(const MediaItem& item) override;
  Result<bool> Slice() override;
  Result<MediaEmbedding> End() override;

  // Returns the number of slices of an image.
  int slices() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate::glm_edge_v
