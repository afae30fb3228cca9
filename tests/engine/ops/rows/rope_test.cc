// Compares rotary position embedding with rotations in double precision, in both layouts.

#include "engine/ops/rows/rope.h"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <vector>

namespace edgegate {
namespace {

constexpr int kDim = 16, kHalf = kDim / 2;
constexpr double kTheta = 10000;

std::vector<float> Head() {
  std::vector<float> head;
  for (int i = 0; i < kDim + 4; ++i) head.push_back(0.1f * static_cast<float>(i * i % 23) - 1.0f);
  return head;
}

// Returns pair `i`, rotated by the angle of its frequency at this position.
std::complex<double> Rotated(double real, double imaginary, int i, int position, double divisor) {
  const double frequency = std::pow(kTheta, -2.0 * i / kDim) / divisor;
  return std::complex<double>(real, imaginary) * std::polar(1.0, position * frequency);
}

TEST_CASE("both layouts rotate each pair by its angle, and leave the other components unchanged") {
  for (const bool divided : {false, true}) {
    CAPTURE(divided);
    std::vector<float> divisors;
    for (int i = 0; i < kHalf && divided; ++i) divisors.push_back(1.0f + static_cast<float>(i));
    RopeTable table(kDim, kTheta, divisors);
    CHECK(table.half() == kHalf);
    const std::vector<int32_t> positions = {0, 1, 7, 500};
    table.SetPositions(positions);
    for (int t = 0; t < 4; ++t) {
      CAPTURE(t);
      const std::vector<float> head = Head();
      auto interleaved = head, split = head;
      RopeInterleaved(interleaved.data(), kHalf, table.cosines(t), table.sines(t));
      RopeHalfSplit(split.data(), kHalf, table.cosines(t), table.sines(t));
      for (int i = 0; i < kHalf; ++i) {
        CAPTURE(i);
        const double divisor = divided ? divisors[static_cast<size_t>(i)] : 1;
        const int position = positions[static_cast<size_t>(t)];
        const auto pair = Rotated(head[2 * i], head[2 * i + 1], i, position, divisor);
        CHECK(std::abs(interleaved[2 * i] - pair.real()) < 1e-4);
        CHECK(std::abs(interleaved[2 * i + 1] - pair.imag()) < 1e-4);
        const auto halves = Rotated(head[i], head[kHalf + i], i, position, divisor);
        CHECK(std::abs(split[i] - halves.real()) < 1e-4);
        CHECK(std::abs(split[kHalf + i] - halves.imag()) < 1e-4);
      }
      for (int i = kDim; i < kDim + 4; ++i) {
        CHECK(interleaved[i] == head[i]);
        CHECK(split[i] == head[i]);
      }
    }
  }
}

TEST_CASE("position 0 changes nothing") {
  RopeTable table(kDim, kTheta, {});
  table.SetPositions({0});
  auto head = Head();
  RopeInterleaved(head.data(), kHalf, table.cosines(0), table.sines(0));
  CHECK(head == Head());
}

TEST_CASE("the product of two rotated heads depends on the distance of their positions alone") {
  RopeTable table(kDim, kTheta, {});
  table.SetPositions({3, 10, 103, 110});
  const auto product = [&](int first, int second) {
    auto a = Head(), b = Head();
    RopeHalfSplit(a.data(), kHalf, table.cosines(first), table.sines(first));
    RopeHalfSplit(b.data(), kHalf, table.cosines(second), table.sines(second));
    double sum = 0;
    for (int i = 0; i < kDim; ++i) sum += double{a[i]} * b[i];
    return sum;
  };
  CHECK(product(0, 1) == doctest::Approx(product(2, 3)).epsilon(1e-4));
  CHECK(product(0, 1) != doctest::Approx(product(0, 3)).epsilon(1e-2));
}

}  // namespace
}  // namespace edgegate
