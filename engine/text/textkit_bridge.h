// Between C++ strings and textkit's C interface; for this folder's .cc files.
#pragma once

#include <string>
#include <string_view>

#include "textkit/textkit.h"

namespace edgegate {

inline tk_str ToTk(std::string_view text) { return {text.data(), text.size()}; }

// Takes over and frees.
inline std::string TakeString(tk_bytes bytes) {
  std::string text = bytes.data ? std::string(bytes.data, bytes.size) : std::string();
  tk_free_bytes(bytes);
  return text;
}

}  // namespace edgegate
