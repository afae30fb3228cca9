#include "server/media/data_url.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

namespace edgegate {
namespace {

constexpr uint8_t kNone = 0xff;

constexpr std::array<uint8_t, 256> MakeTable() {
  std::array<uint8_t, 256> table{};
  for (auto& entry : table) entry = kNone;
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return table;
}
constexpr auto kTable = MakeTable();

// `offset`: position of the text in the URL, for messages.
Result<std::string> DecodeBase64(std::string_view text, size_t offset) {
  if (text.empty()) return InvalidArgument("the data URL holds no data");
  if (text.size() % 4 != 0) {
    return InvalidArgument("the data URL's base64 has {} characters: must be a multiple of 4",
                           text.size());
  }
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  const size_t digits = text.size() - padding;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  for (size_t i = 0; i < digits; ++i) {
    const uint8_t value = kTable[static_cast<uint8_t>(text[i])];
    if (value == kNone) {
      return InvalidArgument("the data URL's base64 has a character at {} that is none of its own",
                             offset + i);
    }
    bits = bits << 6 | value;
    if (i % 4 != 3) continue;
    for (int shift : {16, 8, 0}) out.push_back(static_cast<char>(bits >> shift));
    bits = 0;
  }
  const bool clean = padding == 0 || (bits & (padding == 1 ? 3u : 15u)) == 0;
  if (!clean) return InvalidArgument("the data URL's base64 ends in bits that belong to no byte");
  if (padding == 1) {
    out.push_back(static_cast<char>(bits >> 10));
    out.push_back(static_cast<char>(bits >> 2));
  } else if (padding == 2) {
    out.push_back(static_cast<char>(bits >> 4));
  }
  return out;
}

struct DataUrl {
  std::string type;  // in lower case: "image/png"
  std::string_view base64;
  size_t offset = 0;  // of the base64 in the URL
};

// Splits a data URL in base64. `example`: a type, for the message.
Result<DataUrl> Split(std::string_view url, const char* example) {
  const size_t comma = url.substr(0, 256).find(',');
  std::string head(url.substr(0, comma == std::string_view::npos ? 0 : comma));
  std::transform(head.begin(), head.end(), head.begin(),
                 [](unsigned char c) { return c < 128 ? std::tolower(c) : c; });
  if (!head.starts_with("data:")) {
    return InvalidArgument("it is neither a data URL (data:{};base64,...) nor http(s)", example);
  }
  if (!head.ends_with(";base64")) return InvalidArgument("the data URL is not in base64");
  return DataUrl{head.substr(5, head.find(';') - 5), url.substr(comma + 1), comma + 1};
}

}  // namespace

Result<std::string> DecodeDataUrl(std::string_view url) {
  EG_ASSIGN_OR_RETURN(const DataUrl split, Split(url, "image/jpeg"));
  const std::string& type = split.type;
  if (type != "image/jpeg" && type != "image/jpg" && type != "image/png" && type != "image/webp") {
    return InvalidArgument(
        "the data URL is of type \"{}\": must be image/jpeg, image/png or "
        "image/webp",
        type);
  }
  return DecodeBase64(split.base64, split.offset);
}

Result<VideoUrlData> DecodeVideoDataUrl(std::string_view url, int max_files) {
  VideoUrlData data;
  if (url.substr(0, 256).find(':') == std::string_view::npos) {
    EG_ASSIGN_OR_RETURN(std::string file, DecodeBase64(url, 0));
    data.files.push_back(std::move(file));
    return data;
  }
  EG_ASSIGN_OR_RETURN(const DataUrl split, Split(url, "video/mp4"));
  if (!split.type.starts_with("video/") && split.type != "image/gif" &&
      split.type != "application/octet-stream") {
    return InvalidArgument("the data URL is of type \"{}\": must be video/mp4 or another video",
                           split.type);
  }
  data.jpegs = split.type == "video/jpeg";
  std::string_view rest = split.base64;
  size_t offset = split.offset;
  while (true) {
    const size_t comma = data.jpegs ? rest.find(',') : std::string_view::npos;
    EG_ASSIGN_OR_RETURN(std::string file, DecodeBase64(rest.substr(0, comma), offset));
    data.files.push_back(std::move(file));
    if (comma == std::string_view::npos) return data;
    if (std::ssize(data.files) >= max_files) {
      return InvalidArgument("the video has more than {} frames", max_files);
    }
    rest.remove_prefix(comma + 1);
    offset += comma + 1;
  }
}

}  // namespace edgegate
