#include "engine/base/half.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace edgegate {
namespace {

TEST_CASE("every binary16 value survives the way to float and back") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float value = F16ToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      CHECK((FloatToF16(value) & 0x7fff) > 0x7c00);
    } else {
      CHECK(FloatToF16(value) == bits);
    }
  }
}

TEST_CASE("every bfloat16 value survives the way to float and back") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float value = Bf16ToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      CHECK(std::isnan(Bf16ToFloat(FloatToBf16(value))));
    } else {
      CHECK(FloatToBf16(value) == bits);
    }
  }
}

TEST_CASE("rounding is to nearest, ties to even") {
  CHECK(FloatToF16(1.0f + 0x1p-11f) == 0x3c00);
  CHECK(FloatToF16(1.0f + 3 * 0x1p-11f) == 0x3c02);
  CHECK(FloatToF16(65504.0f) == 0x7bff);
  CHECK(FloatToF16(65520.0f) == 0x7c00);
  CHECK(FloatToF16(0x1p-25f) == 0);
  CHECK(FloatToF16(0x1.8p-24f) == 2);
  CHECK(FloatToBf16(1.0f + 0x1p-8f) == 0x3f80);
  CHECK(FloatToBf16(1.0f + 3 * 0x1p-8f) == 0x3f82);
}

}  // namespace
}  // namespace edgegate
