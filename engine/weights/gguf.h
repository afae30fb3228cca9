// The GGUF container, versions 2 and 3, little-endian. Format: ggml's docs/gguf.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/status.h"
#include "engine/weights/tensor_info.h"

namespace edgegate {

// A metadata value: integers widened, floats as double, arrays of the kinds that models use.
using GgufValue = std::variant<int64_t, double, bool, std::string, std::vector<int64_t>,
                               std::vector<double>, std::vector<std::string>>;

struct GgufFile {
  std::map<std::string, GgufValue> metadata;
  std::vector<TensorInfo> tensors;

  // The value of `key` when it is there and has that kind.
  std::optional<int64_t> Int(const std::string& key) const;
  std::optional<double> Number(const std::string& key) const;
  std::optional<bool> Bool(const std::string& key) const;
  std::optional<std::string> String(const std::string& key) const;
  template <typename T>
  const std::vector<T>* Array(const std::string& key) const {
    auto found = metadata.find(key);
    return found == metadata.end() ? nullptr : std::get_if<std::vector<T>>(&found->second);
  }
};

// Reads the header of a file whose whole content is `file`. kDataLoss, with the offset, for
// anything that the format does not allow.
Result<GgufFile> ParseGguf(std::span<const uint8_t> file);

}  // namespace edgegate
