// Random weights with the dimensions of a published model, in memory. They measure a machine before
// the model is downloaded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/decoder/decoder_weights.h"

namespace edgegate {

// The weights and their memory. Immutable after construction: any thread may call any const method.
class RandomWeights {
 public:
  // `shape`: one of Shapes(); kInvalidArgument for another name. `head_format` is that of lm_head.
  static Result<std::unique_ptr<RandomWeights>> Make(
      const std::string& shape, WeightFormat format = kWeightFormat<Int8Format>,
      WeightFormat head_format = kWeightFormat<Int8Format>);
  // Returns the names of the shapes: "glm-edge-1.5b" and others.
  static std::vector<std::string> Shapes();
  ~RandomWeights();

  const DecoderWeights& weights() const;

 private:
  struct Impl;
  explicit RandomWeights(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
