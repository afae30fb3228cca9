// Random weights with the dimensions of a published model, in memory. They measure a machine before
// the model is downloaded.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/family/decoder/decoder_weights.h"

namespace edgegate {

// The weights and their memory. Immutable after construction: any thread may call any const method.
class RandomWeights {
 public:
  // "glm-edge-1.5b", "glm-edge-4b", "glm-edge-v-2b", "glm-edge-v-5b" or "smollm2-135m";
  // kInvalidArgument for another name.
  static Result<std::unique_ptr<RandomWeights>> Make(
      const std::string& shape, WeightFormat format = kWeightFormat<Int8Format>);
  ~RandomWeights();

  const DecoderWeights& weights() const;

 private:
  struct Impl;
  explicit RandomWeights(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
