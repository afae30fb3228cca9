#include "engine/model/weight_format.h"

namespace edgegate {

Result<WeightFormat> ParseWeightFormat(std::string_view name) {
  for (const WeightFormat format : {WeightFormat::kInt8, WeightFormat::kInt4}) {
    if (name == WeightFormatName(format)) return format;
  }
  return InvalidArgument("weight format \"{}\": must be int8 or int4", name);
}

std::string_view WeightFormatName(WeightFormat format) {
  return format == WeightFormat::kInt4 ? "int4" : "int8";
}

}  // namespace edgegate
