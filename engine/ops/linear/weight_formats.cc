#include "engine/ops/linear/weight_formats.h"

#include <algorithm>
#include <vector>

namespace edgegate {
namespace {

template <typename Format>
concept HasNarrow = requires {
  typename Format::Narrow;
};

template <typename Format>
Linear Load(TensorReader* reader, const std::string& name, LinearShape shape, bool bias) {
  if constexpr (HasNarrow<Format>) {
    using Narrow = typename Format::Narrow;
    if (Narrow::IsAt(*reader, name)) return {Narrow::Load(reader, name, shape, bias)};
  }
  return {Format::Load(reader, name, shape, bias)};
}

// Sets `layer` if layer `name` has this format.
template <typename Format>
bool LoadIfAt(TensorReader* reader, const std::string& name, LinearShape shape, bool bias,
              Linear* layer) {
  if constexpr (requires { Format::IsAt; }) {
    if (!Format::IsAt(*reader, name)) return false;
    layer->layer = Format::Load(reader, name, shape, bias);
    return true;
  }
  return false;
}

template <typename... Formats>
Linear LoadAny(FormatList<Formats...>, TensorReader* reader, const std::string& name,
               LinearShape shape, bool bias) {
  Linear layer;
  if ((LoadIfAt<Formats>(reader, name, shape, bias, &layer) || ...)) return layer;
  return {LoadInt8(reader, name, shape, bias)};
}

template <typename Format>
Linear Random(WeightArena* arena, LinearShape shape) {
  return {Format::Random(arena, shape)};
}

template <typename Format>
constexpr MakeLinearPacker* PackerOf() {
  if constexpr (requires { Format::MakePacker; }) return Format::MakePacker;
  return nullptr;
}

template <typename Format>
constexpr MakeLinearPacker* NarrowPackerOf() {
  if constexpr (HasNarrow<Format>) return PackerOf<typename Format::Narrow>();
  return PackerOf<Format>();
}

template <typename Format>
void AddRow(std::vector<WeightFormatInfo>* rows) {
  if constexpr (requires { Format::kName; }) {
    rows->push_back({kWeightFormat<Format>, Format::kName, Load<Format>, Random<Format>,
                     PackerOf<Format>(), NarrowPackerOf<Format>()});
  }
}

template <typename... Formats>
std::vector<WeightFormatInfo> MakeRows(FormatList<Formats...>) {
  std::vector<WeightFormatInfo> rows;
  (AddRow<Formats>(&rows), ...);
  return rows;
}

}  // namespace

std::span<const WeightFormatInfo> WeightFormats() {
  static const std::vector<WeightFormatInfo> rows = MakeRows(LinearFormats());
  return rows;
}

const WeightFormatInfo& InfoOf(WeightFormat format) {
  return *std::ranges::find(WeightFormats(), format, &WeightFormatInfo::format);
}

Linear LoadAnyFormat(TensorReader* reader, const std::string& name, LinearShape shape, bool bias) {
  return LoadAny(LinearFormats(), reader, name, shape, bias);
}

Result<WeightFormat> ParseWeightFormat(std::string_view name) {
  for (const WeightFormatInfo& info : WeightFormats()) {
    if (info.name == name) return info.format;
  }
  return InvalidArgument("weight format \"{}\": must be {}", name, WeightFormatNames());
}

std::string_view WeightFormatName(WeightFormat format) { return InfoOf(format).name; }

std::string WeightFormatNames() {
  std::string names;
  for (const WeightFormatInfo& info : WeightFormats()) {
    names += (names.empty() ? "" : " or ") + std::string(info.name);
  }
  return names;
}

}  // namespace edgegate
