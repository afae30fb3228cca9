// BERT as a family of text encoders.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "engine/family/bert/tensors.h"
#include "engine/family/text_encoder_family.h"

namespace edgegate::bert {

// See TextEncoderSource.
class Source : public TextEncoderSource {
 public:
  Source(std::shared_ptr<const Config> config, Tensors tensors)
      : config_(std::move(config)), tensors_(std::move(tensors)) {}

  const Config& config() const override { return *config_; }
  double Work() const override;
  Status Quantize(const TensorFiles& files, BundleWriter* writer,
                  const std::function<Status(double work)>& progress) const override;

  const Tensors& tensors() const { return tensors_; }

 private:
  const std::shared_ptr<const Config> config_;
  const Tensors tensors_;
};

}  // namespace edgegate::bert
