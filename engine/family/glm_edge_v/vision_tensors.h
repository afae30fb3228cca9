// The tensors of GLM-Edge-V's tower and adapter, with their names in the two kinds of files.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/family/model_source.h"
#include "engine/model/model_config.h"

namespace edgegate {

struct VisionTensor {
  WeightPart part;
  const char* huggingface;  // "{}" stands for the layer
  const char* gguf;         // of llama.cpp's mmproj file
  int64_t rows;             // a vector has one
  int64_t cols;
  bool per_layer;
};

// All of them. `text_size`: the text model's hidden_size.
std::vector<VisionTensor> VisionTensors(const VisionConfig& config, int text_size);

}  // namespace edgegate
