// Compares the emulation of the fused multiply-add with std::fma, bit for bit.

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "engine/ops/isa/emulated_fma.h"

namespace edgegate {
namespace {

bool SameNumber(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

bool Check(float a, float b, float c) {
  const float want = std::fma(a, b, c);
  bool same = SameNumber(EmulatedMulAdd(a, b, c), want);
#if defined(__SSE2__)
  // A sum of zero needs the slow path. A sum of 5 does not.
  for (const float other : {0.0f, 5.0f}) {
    alignas(16) float out[4];
    _mm_store_ps(out, EmulatedMulAdd(_mm_setr_ps(a, 1, other, b), _mm_setr_ps(b, 2, 0, a),
                                     _mm_setr_ps(c, 3, other, c)));
    same = same && SameNumber(out[0], want) && out[1] == 5 && out[2] == other &&
           SameNumber(out[3], want);
  }
#endif
  return same;
}

TEST_CASE("the emulation equals std::fma for numbers of all sizes") {
  std::mt19937 random(1);
  int wrong = 0;
  for (int i = 0; i < 2'000'000; ++i) {
    const auto any = [&] { return std::bit_cast<float>(static_cast<uint32_t>(random())); };
    const float a = any(), b = any();
    // Every second addend has about the size of the product, so that bits cancel.
    const float c = i % 2 == 0 ? any() : -a * b * (1.0f + 0x1p-23f * static_cast<float>(i % 7 - 3));
    wrong += Check(a, b, c) ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("the emulation equals std::fma for sums that are nearly the mean of two floats") {
  std::mt19937 random(2);
  int wrong = 0;
  for (int i = 0; i < 500'000; ++i) {
    // The product is half of the addend's last bit, and a few units of the last bit of a double or
    // far less away from it. The addend may be subnormal.
    const float c = std::bit_cast<float>(static_cast<uint32_t>(random()) & 0xbfffffffu);
    const float step = std::nextafter(std::fabs(c), 4.0f) - std::fabs(c);
    const float apart = std::ldexp(static_cast<float>(static_cast<int>(random() % 5) - 2), -23);
    const float a = step * (1.0f + apart), b = 0.5f + 0x1p-24f * static_cast<float>(random() % 3);
    wrong += Check(a, random() % 2 == 0 ? b : -b, c) ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("the emulation equals std::fma for special numbers and ties") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> numbers = {0.0f,
                                      1.0f,
                                      3.0f,
                                      1.0f + 0x1p-23f,
                                      1.0f - 0x1p-24f,
                                      0x1p-24f,
                                      0x1p-25f,
                                      0x1.8p-24f,
                                      0x1p-75f,
                                      0x1p-126f,
                                      0x1p-149f,
                                      0x1.fffffep127f,
                                      0x1p64f,
                                      kInfinity,
                                      std::numeric_limits<float>::quiet_NaN()};
  std::vector<float> all = numbers;
  for (const float x : numbers) all.push_back(-x);
  for (const float a : all) {
    for (const float b : all) {
      for (const float c : all) {
        CAPTURE(a);
        CAPTURE(b);
        CAPTURE(c);
        CHECK(Check(a, b, c));
      }
    }
  }
}

}  // namespace
}  // namespace edgegate
