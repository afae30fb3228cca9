// The vision part of an opened GLM-Edge-V model. Its family is GlmEdgeVFamily() (registry.cc).
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "engine/family/glm_edge_v/config.h"
#include "engine/family/glm_edge_v/tensors.h"
#include "engine/family/media_family.h"

namespace edgegate::glm_edge_v {

class Source : public MediaSource {
 public:
  Source(std::shared_ptr<const Config> config, int text_size, Tensors tensors)
      : config_(std::move(config)), text_size_(text_size), tensors_(std::move(tensors)) {}

  const Config& config() const { return *config_; }
  const Tensors& tensors() const { return tensors_; }

  double Work() const override;
  int calibration_rows() const override { return config_->rows(); }
  Result<std::vector<float>> Quantize(
      const TensorFiles& files, int narrow_width, BundleWriter* writer,
      const std::function<Status(double work)>& progress) const override;

 private:
  const std::shared_ptr<const Config> config_;
  const int text_size_;
  const Tensors tensors_;
};

}  // namespace edgegate::glm_edge_v
