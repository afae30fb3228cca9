// Uses any bytes as a data URL of an image and of a video. The data of an accepted URL of an image
// must equal the encoding of its decoded
// bytes.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "server/media/data_url.h"

namespace {

std::string Encode(const std::string& bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += i + j <= bytes.size() ? kAlphabet[bits >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view url(reinterpret_cast<const char*>(data), size);
  const auto decoded = edgegate::DecodeDataUrl(url);
  if (decoded.ok() && Encode(*decoded) != url.substr(url.find(',') + 1)) std::abort();
  const auto video = edgegate::DecodeVideoDataUrl(url, 8);
  if (video.ok() && (video->files.empty() || video->files.size() > 8)) std::abort();
  return 0;
}
