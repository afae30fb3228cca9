// The weight formats that the linear layers of a text model can be packed in: those of
// LinearFormats (linear.h) that have a name.
//
// lm_head has a format of its own. Image encoders always have the format INT8.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "engine/base/status.h"
#include "engine/ops/linear/linear.h"

namespace edgegate {

// An index in LinearFormats.
enum class WeightFormat : uint8_t {};

template <typename Format, typename... Formats>
consteval WeightFormat IndexIn(FormatList<Formats...>) {
  uint8_t index = 0;
  (void)((std::is_same_v<Format, Formats> || (++index, false)) || ...);
  return WeightFormat{index};
}

// kWeightFormat<Int8Format>: INT8, or INT16 in narrow models.
template <typename Format>
inline constexpr WeightFormat kWeightFormat = IndexIn<Format>(LinearFormats());

// A row of the table.
struct WeightFormatInfo {
  WeightFormat format;
  std::string_view name;  // in settings and bundles

  // Returns a view of the tensors of layer NAME. `reader` stores an error.
  Linear (*load)(TensorReader* reader, const std::string& name, LinearShape shape, bool bias);
  // Returns a layer with random weights, for benchmarks. `arena` owns the memory.
  Linear (*random)(WeightArena* arena, LinearShape shape);
  // The packers of layers of wide and of narrow models. They are the same if the format has no
  // other one for narrow models. Null: the format does not round weights row by row.
  MakeLinearPacker* packer;
  MakeLinearPacker* narrow_packer;
};

std::span<const WeightFormatInfo> WeightFormats();
const WeightFormatInfo& InfoOf(WeightFormat format);

// Returns a view of the tensors of layer NAME in the format that they have. `reader` stores an
// error.
Linear LoadAnyFormat(TensorReader* reader, const std::string& name, LinearShape shape, bool bias);

// Returns the format of this name. kInvalidArgument: there is none; the message has all names.
Result<WeightFormat> ParseWeightFormat(std::string_view name);
std::string_view WeightFormatName(WeightFormat format);
// Returns the names of all formats: "int8 or int4".
std::string WeightFormatNames();

}  // namespace edgegate
