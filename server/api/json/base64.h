// Base64 (RFC 4648, section 4) of binary values in answers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace edgegate {

// Returns the text with padding.
inline std::string EncodeBase64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto at = [&](size_t i) -> uint32_t {
    return i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0;
  };
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) text.push_back(kDigits[group >> shift & 63]);
  }
  if (bytes.size() % 3 != 0) text[text.size() - 1] = '=';
  if (bytes.size() % 3 == 1) text[text.size() - 2] = '=';
  return text;
}

}  // namespace edgegate
