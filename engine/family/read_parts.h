// Reads parts of a model as float, in parallel.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/model_source.h"

namespace edgegate {

// A part to read, all of its rows, to `out`, which is made as large.
struct PartToRead {
  WeightPart part;
  int64_t rows, columns;
  std::vector<float>* out;
};

// Errors are those of ModelSource::ReadRows(): the first one in the order of the parts and rows.
Status ReadParts(const ModelSource& source, int layer, std::span<const PartToRead> parts);
Status ReadParts(const ModelSource& source, int layer, std::initializer_list<PartToRead> parts);

}  // namespace edgegate
