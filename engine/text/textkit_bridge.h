// Conversions between C++ strings and textkit's C interface. Private to this folder.
#pragma once

#include <string>
#include <string_view>

#include "textkit/textkit.h"

namespace edgegate {

inline tk_str ToTk(std::string_view text) { return {text.data(), text.size()}; }

// Copies the bytes to a string and frees them.
inline std::string TakeString(tk_bytes bytes) {
  std::string text = bytes.data ? std::string(bytes.data, bytes.size) : std::string();
  tk_free_bytes(bytes);
  return text;
}

}  // namespace edgegate
