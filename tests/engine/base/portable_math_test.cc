// Compares the portable functions with those of the C library, and pins their bits.

#include "engine/base/portable_math.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace edgegate {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST_CASE("the exponential") {
  double worst = 0;
  for (double x = -700; x < 700; x += 0.00317) {
    worst = std::max(worst, std::fabs(PortableExp(x) / std::exp(x) - 1));
  }
  CHECK(worst < 4.5e-16);
  CHECK(PortableExp(0) == 1);
  CHECK(PortableExp(-709) == 0);
  CHECK(PortableExp(-kInfinity) == 0);
  CHECK(PortableExp(710) == kInfinity);
  CHECK(PortableExp(kInfinity) == kInfinity);
  CHECK(std::isnan(PortableExp(std::numeric_limits<double>::quiet_NaN())));
}

TEST_CASE("the logarithm and the power") {
  double worst = 0;
  for (double x = 1e-300; x < 1e300; x *= 1.00173) {
    const double want = std::log(x);
    worst = std::max(worst, std::fabs(PortableLog(x) - want) / std::max(1.0, std::fabs(want)));
  }
  CHECK(worst < 4.5e-16);
  CHECK(PortableLog(1) == 0);
  CHECK(PortableLog(0) == -kInfinity);
  CHECK(PortableLog(kInfinity) == kInfinity);
  CHECK(PortableLog(5e-324) == doctest::Approx(std::log(5e-324)).epsilon(1e-15));
  CHECK(std::isnan(PortableLog(-1)));
  for (int i = 0; i < 64; ++i) {
    CHECK(PortablePow(1e6, i / 64.0) == doctest::Approx(std::pow(1e6, i / 64.0)).epsilon(1e-14));
  }
}

TEST_CASE("sine, cosine and hyperbolic tangent") {
  double worst = 0, worst_tanh = 0;
  for (double x = -1e6; x < 1e6; x += 7.3217) {
    const SineCosine got = PortableSineCosine(x);
    worst =
        std::max({worst, std::fabs(got.sine - std::sin(x)), std::fabs(got.cosine - std::cos(x))});
  }
  CHECK(worst < 1e-15);
  for (double x = -30; x < 30; x += 0.0137) {
    worst_tanh = std::max(worst_tanh, std::fabs(PortableTanh(x) - std::tanh(x)));
  }
  CHECK(worst_tanh < 1e-15);
  CHECK(PortableSineCosine(0).sine == 0);
  CHECK(PortableSineCosine(0).cosine == 1);
}

TEST_CASE("the bits do not depend on the processor, the compiler or the C library") {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a of the results, 64 bits at a time
  const auto add = [&](double x) { hash = (hash ^ std::bit_cast<uint64_t>(x)) * 0x100000001b3; };
  for (int i = -5000; i < 5000; ++i) {
    const double x = i * 0.1171875;
    add(PortableExp(x));
    add(PortableLog(std::fabs(x) + 0x1p-20));
    add(PortableSineCosine(x * 17).sine);
    add(PortableSineCosine(x * 17).cosine);
    add(PortableTanh(x / 16));
  }
  CHECK(hash == 10912932492180039019u);
}

}  // namespace
}  // namespace edgegate
