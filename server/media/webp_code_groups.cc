#include "server/media/webp_code_groups.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <span>

namespace edgegate {
namespace {

constexpr int kMaxCodeLength = 15;
constexpr int kLiterals = 256, kLengthCodes = 24, kDistanceCodes = 40, kMaxCacheBits = 11;
constexpr int kMaxAlphabet = kLiterals + kLengthCodes + (1 << kMaxCacheBits);

// Reads bits, the lowest bit of each byte first. Past the end it returns zeros, and failed()
// becomes true.
class BitReader {
 public:
  explicit BitReader(std::string_view data) : data_(data) {}
  uint32_t Read(int count) {
    uint32_t value = 0;
    for (int i = 0; i < count; ++i) value |= Bit() << i;
    return value;
  }
  uint32_t Bit() {
    const size_t at = position_ / 8;
    if (at >= data_.size()) {
      failed_ = true;
      return 0;
    }
    return static_cast<uint32_t>(static_cast<uint8_t>(data_[at]) >> (position_++ % 8)) & 1;
  }
  bool failed() const { return failed_; }
  void Fail() { failed_ = true; }

 private:
  const std::string_view data_;
  size_t position_ = 0;
  bool failed_ = false;
};

// A canonical prefix code.
class PrefixCode {
 public:
  // False: the lengths are not those of a complete code.
  bool Build(std::span<const uint8_t> lengths) {
    count_ = {};
    for (uint8_t length : lengths) ++count_[length];
    const int used = static_cast<int>(lengths.size()) - count_[0];
    count_[0] = 0;
    std::array<int, kMaxCodeLength + 2> offset{};
    int open = 1;
    for (int length = 1; length <= kMaxCodeLength; ++length) {
      open = open * 2 - count_[length];
      if (open < 0) return false;
      offset[length + 1] = offset[length] + count_[length];
    }
    for (size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      if (lengths[symbol] > 0) symbols_[offset[lengths[symbol]]++] = static_cast<uint16_t>(symbol);
    }
    single_ = used == 1;
    return single_ || (used > 1 && open == 0);
  }

  int Read(BitReader* bits) const {
    if (single_) return symbols_[0];  // takes no bits
    int code = 0, first = 0, index = 0;
    for (int length = 1; length <= kMaxCodeLength; ++length) {
      code |= static_cast<int>(bits->Bit());
      if (code - first < count_[length]) return symbols_[index + code - first];
      index += count_[length];
      first = (first + count_[length]) << 1;
      code <<= 1;
    }
    bits->Fail();
    return 0;
  }

 private:
  std::array<int, kMaxCodeLength + 1> count_{};  // symbols by length of their code
  std::array<uint16_t, kMaxAlphabet> symbols_{};
  bool single_ = false;
};

class CodeGroupReader {
 public:
  CodeGroupReader(std::string_view data, int width, int height)
      : bits_(data), width_(width), height_(height) {}

  std::optional<int64_t> TableBytes() {
    ReadTransforms();
    const int cache_bits = ReadCacheBits();
    int64_t groups = 1;
    if (bits_.Bit() != 0 && !bits_.failed()) {
      const int block_bits = static_cast<int>(bits_.Read(3)) + 2;
      SkipImage(Blocks(width_, block_bits), Blocks(height_, block_bits));
      groups = static_cast<int64_t>(values_.count());
    }
    if (bits_.failed()) return std::nullopt;
    return groups * BytesPerGroup(cache_bits);
  }

 private:
  // Size of libwebp's tables of one group: tables with a root of 8 bits and 4 bytes per entry, and
  // a structure.
  static int64_t BytesPerGroup(int cache_bits) {
    return int64_t{4} * (3 * 630 + 410 + 654 + (cache_bits > 0 ? 2 << cache_bits : 0)) + 640;
  }

  static int Blocks(int size, int bits) { return (size + (1 << bits) - 1) >> bits; }

  void ReadTransforms() {
    unsigned seen = 0;
    while (bits_.Bit() != 0 && !bits_.failed()) {
      const uint32_t type = bits_.Read(2);
      if ((seen & 1u << type) != 0) return bits_.Fail();
      seen |= 1u << type;
      if (type <= 1) {  // prediction, colour
        const int block_bits = static_cast<int>(bits_.Read(3)) + 2;
        SkipImage(Blocks(width_, block_bits), Blocks(height_, block_bits));
      } else if (type == 3) {  // palette: a small one packs several pixels into one
        const int colours = static_cast<int>(bits_.Read(8)) + 1;
        SkipImage(colours, 1);
        const int packed = colours > 16 ? 0 : colours > 4 ? 1 : colours > 2 ? 2 : 3;
        width_ = Blocks(width_, packed);
      }
    }
  }

  int ReadCacheBits() {
    if (bits_.Bit() == 0) return 0;
    const int bits = static_cast<int>(bits_.Read(4));
    if (bits < 1 || bits > kMaxCacheBits) bits_.Fail();
    return std::min(bits, kMaxCacheBits);
  }

  void ReadCode(int alphabet, PrefixCode* code) {
    std::array<uint8_t, kMaxAlphabet> lengths{};
    if (bits_.Bit() != 0) {
      const bool two = bits_.Bit() != 0;
      lengths[bits_.Read(bits_.Bit() != 0 ? 8 : 1)] = 1;
      if (two) lengths[bits_.Read(8)] = 1;
    } else {
      ReadLengths(alphabet, &lengths);
    }
    if (!code->Build({lengths.data(), static_cast<size_t>(alphabet)})) bits_.Fail();
  }

  void ReadLengths(int alphabet, std::array<uint8_t, kMaxAlphabet>* lengths) {
    constexpr std::array<uint8_t, 19> kOrder = {17, 18, 0, 1,  2,  3,  4,  5,  16, 6,
                                                7,  8,  9, 10, 11, 12, 13, 14, 15};
    std::array<uint8_t, 19> own{};
    const uint32_t count = bits_.Read(4) + 4;
    for (uint32_t i = 0; i < count; ++i) own[kOrder[i]] = static_cast<uint8_t>(bits_.Read(3));
    if (!lengths_code_.Build(own)) return bits_.Fail();
    int left = alphabet;  // codes to read
    if (bits_.Bit() != 0) {
      left = 2 + static_cast<int>(bits_.Read(2 + 2 * static_cast<int>(bits_.Read(3))));
      if (left > alphabet) return bits_.Fail();
    }
    uint8_t previous = 8;
    for (int symbol = 0; symbol < alphabet && left > 0 && !bits_.failed(); --left) {
      const int read = lengths_code_.Read(&bits_);
      if (read < 16) {
        (*lengths)[symbol++] = static_cast<uint8_t>(read);
        if (read != 0) previous = static_cast<uint8_t>(read);
        continue;
      }
      const uint32_t extra = bits_.Read(read == 16 ? 2 : read == 17 ? 3 : 7);
      const int repeat = static_cast<int>(extra) + (read == 18 ? 11 : 3);
      if (repeat > alphabet - symbol) return bits_.Fail();
      std::fill_n(lengths->begin() + symbol, repeat, read == 16 ? previous : uint8_t{0});
      symbol += repeat;
    }
  }

  // Reads a length or distance. `code` has the upper bits.
  uint32_t ReadPrefixed(int code) {
    if (code < 4) return static_cast<uint32_t>(code) + 1;
    const int extra = (code - 2) >> 1;
    return ((2 + (static_cast<uint32_t>(code) & 1)) << extra) + bits_.Read(extra) + 1;
  }

  // Reads an image without groups, and records the values of red and green in values_. Copies and
  // cached colours repeat earlier values, so only literals are recorded. The cache begins with 0.
  void SkipImage(int width, int height) {
    const int cache_bits = ReadCacheBits();
    const int cached = cache_bits > 0 ? 1 << cache_bits : 0;
    ReadCode(kLiterals + kLengthCodes + cached, &green_);
    for (PrefixCode* code : {&red_, &blue_, &alpha_}) ReadCode(kLiterals, code);
    ReadCode(kDistanceCodes, &distance_);
    values_.reset();
    if (cached > 0) values_.set(0);
    const int64_t pixels = int64_t{width} * height;
    for (int64_t pixel = 0; pixel < pixels && !bits_.failed();) {
      const int green = green_.Read(&bits_);
      if (green < kLiterals) {
        const int red = red_.Read(&bits_);
        blue_.Read(&bits_);
        alpha_.Read(&bits_);
        values_.set(static_cast<size_t>(red << 8 | green));
        ++pixel;
      } else if (green < kLiterals + kLengthCodes) {
        pixel += ReadPrefixed(green - kLiterals);
        ReadPrefixed(distance_.Read(&bits_));
        if (pixel > pixels) bits_.Fail();
      } else {
        ++pixel;
      }
    }
  }

  BitReader bits_;
  int width_;
  const int height_;
  PrefixCode lengths_code_, green_, red_, blue_, alpha_, distance_;
  std::bitset<65536> values_;
};

}  // namespace

std::optional<int64_t> WebpCodeTableBytes(std::string_view data, int width, int height) {
  return CodeGroupReader(data, width, height).TableBytes();
}

}  // namespace edgegate
