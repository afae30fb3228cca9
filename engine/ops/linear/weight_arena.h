// The memory of random weights, for benchmarks without a model.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "engine/base/aligned_buffer.h"

namespace edgegate {

// Allocates arrays and owns them. Owned by one thread. Throws std::bad_alloc.
class WeightArena {
 public:
  // Returns an array of `count` numbers with the value `value`.
  const float* Floats(int count, float value) {
    auto& buffer = floats_.emplace_back(static_cast<size_t>(count));
    std::fill_n(buffer.data(), count, value);
    return buffer.data();
  }

  // Returns an array of `count` zeros.
  int32_t* Ints(int count) { return ints_.emplace_back(static_cast<size_t>(count)).data(); }

  // Returns `count` bytes, 64-byte aligned, not initialized.
  uint8_t* Bytes(int64_t count) { return bytes_.emplace_back(static_cast<size_t>(count)).data(); }

  // A cheap generator of random bytes. The values only have to differ. Each array begins with
  // another state.
  class Random {
   public:
    explicit Random(uint32_t seed) : state_(seed) {}
    uint8_t Byte() {
      state_ = state_ * 1664525 + 1013904223;
      return static_cast<uint8_t>(state_ >> 24);
    }

   private:
    uint32_t state_;
  };
  Random NextRandom() const { return Random(1 + static_cast<uint32_t>(bytes_.size())); }

 private:
  std::deque<AlignedBuffer<uint8_t>> bytes_;
  std::deque<AlignedBuffer<float>> floats_;
  std::deque<AlignedBuffer<int32_t>> ints_;
};

}  // namespace edgegate
