// The GGUF file format, versions 2 and 3, little-endian. Specification: docs/gguf.md of ggml.
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

// A metadata value. Integers are widened, floats are double, and arrays have the types that models
// use.
using GgufValue = std::variant<int64_t, double, bool, std::string, std::vector<int64_t>,
                               std::vector<double>, std::vector<std::string>>;

// The header of a GGUF file: its metadata, and its tensors without their data.
struct GgufFile {
  std::map<std::string, GgufValue> metadata;
  std::vector<TensorInfo> tensors;

  // Return the value of `key`. nullopt or null: there is none, or it has another type.
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

// Reads the header of an untrusted file whose whole content is `file`. kDataLoss: the header breaks
// the format; the message has the offset. Thread-safe.
Result<GgufFile> ParseGguf(std::span<const uint8_t> file);

}  // namespace edgegate
