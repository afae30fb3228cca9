// The decisions of a generator, taken from a fuzzer's bytes. After the last byte every decision is
// 0, so that generation ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace edgegate {

class ByteSource {
 public:
  ByteSource(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  // Returns a number in [0, below). Precondition: 0 < below <= 256.
  int Pick(int below) { return size_ == 0 ? 0 : (--size_, *data_++ % below); }

  bool Chance(int percent) { return Pick(100) < percent; }

  // Returns one of `words`. If no bytes are left, returns the first one.
  std::string_view Word(std::span<const std::string_view> words) {
    return words[static_cast<size_t>(Pick(static_cast<int>(words.size())))];
  }

  // Returns all bytes that are left.
  std::string_view Rest() const { return {reinterpret_cast<const char*>(data_), size_}; }

  bool empty() const { return size_ == 0; }

 private:
  const uint8_t* data_;
  size_t size_;
};

}  // namespace edgegate
