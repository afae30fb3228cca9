#include "engine/ops/linear/weight_formats.h"

#include <algorithm>

namespace edgegate {
namespace {

constexpr WeightFormatInfo kFormats[] = {
    {WeightFormat::kInt8, "int8",
     [](TensorReader* reader, const std::string& name, LinearShape shape, bool bias) -> Linear {
       if (HasInt8Residual(*reader, name)) {
         return {LoadInt8Residual(reader, name, shape, bias)};
       }
       return {LoadInt8(reader, name, shape, bias)};
     },
     [](WeightArena* arena, LinearShape shape) -> Linear { return {RandomInt8(arena, shape)}; }},
    {WeightFormat::kInt4, "int4",
     [](TensorReader* reader, const std::string& name, LinearShape shape, bool bias) -> Linear {
       return {LoadInt4(reader, name, shape, bias)};
     },
     [](WeightArena* arena, LinearShape shape) -> Linear { return {RandomInt4(arena, shape)}; }},
};

}  // namespace

std::span<const WeightFormatInfo> WeightFormats() { return kFormats; }

const WeightFormatInfo& InfoOf(WeightFormat format) {
  return *std::find_if(std::begin(kFormats), std::end(kFormats),
                       [&](const WeightFormatInfo& info) { return info.format == format; });
}

Result<WeightFormat> ParseWeightFormat(std::string_view name) {
  std::string known;
  for (const WeightFormatInfo& info : kFormats) {
    if (info.name == name) return info.format;
    known += (known.empty() ? "" : " or ") + std::string(info.name);
  }
  return InvalidArgument("weight format \"{}\": must be {}", name, known);
}

std::string_view WeightFormatName(WeightFormat format) { return InfoOf(format).name; }

}  // namespace edgegate
