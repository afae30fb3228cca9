// A picture to rows of the text model: SigLIP's tower (Zhai et al. 2023, arXiv:2303.15343) and
// GLM-Edge-V's adapter, on packed INT8 weights, with float32 sums; attention in INT8 too where the
// tower's layers are not fine and the processor has vpdpbusd, else in bf16.
//
// The work comes in units of some milliseconds, a few hundred rows of half a layer each, so that
// whoever runs them can do something else in between. The rows are the same bytes however the
// units are spread, and with any number of threads.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/family/decoder/decoder_weights.h"
#include "engine/model/model_runner.h"
#include "engine/ops/linear/int8/matmul.h"

namespace edgegate {

// Owned by one thread. Computes with the threads of ThreadPool::Current().
class VisionEncoder {
 public:
  // `weights` are views whose memory must outlive the encoder; config.vision must be set. Throws
  // std::bad_alloc.
  VisionEncoder(const VisionWeights& weights, const ModelConfig& config,
                Int8MatMul::Backend backend);
  ~VisionEncoder();

  // Starts a picture; one that was under way is dropped. kInternal when its size is wrong.
  Status Begin(PreparedPixels pixels);

  // Units that a picture takes in all.
  int units() const;

  // Does one unit of the picture under way. True when it was the last: `rows`
  // [config.vision->rows()][config.hidden_size] is then written.
  bool Step(float* rows);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
