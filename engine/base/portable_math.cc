#include "engine/base/portable_math.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace edgegate {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// A sum with it has no bits for a fraction. So the addition rounds to an integer, in the low bits.
constexpr double kRound = 0x1.8p+52;
// ln 2 and pi / 2 as sums of two numbers. The first has 33 bits, so that its product with an
// integer below 2^20 is exact (fdlibm, e_log.c and e_rem_pio2.c).
constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
constexpr double kHalfPiHigh = 1.57079632673412561417e+00, kHalfPiLow = 6.07710050650619224932e-11;

}  // namespace

alignas(64) const int64_t kExp2Table[32] = {
    0x3ff0000000000000, 0x3fefd9b0d3158574, 0x3fefb5586cf9890f, 0x3fef9301d0125b51,
    0x3fef72b83c7d517b, 0x3fef54873168b9aa, 0x3fef387a6e756238, 0x3fef1e9df51fdee1,
    0x3fef06fe0a31b715, 0x3feef1a7373aa9cb, 0x3feedea64c123422, 0x3feece086061892d,
    0x3feebfdad5362a27, 0x3feeb42b569d4f82, 0x3feeab07dd485429, 0x3feea47eb03a5585,
    0x3feea09e667f3bcd, 0x3fee9f75e8ec5f74, 0x3feea11473eb0187, 0x3feea589994cce13,
    0x3feeace5422aa0db, 0x3feeb737b0cdc5e5, 0x3feec49182a3f090, 0x3feed503b23e255d,
    0x3feee89f995ad3ad, 0x3feeff76f2fb5e47, 0x3fef199bdd85529c, 0x3fef3720dcef9069,
    0x3fef5818dcfba487, 0x3fef7c97337b9b5f, 0x3fefa4afa2a490da, 0x3fefd0765b6e4540};

// x = (32 e + i) ln 2 / 32 + r. So e^x = 2^e 2^(i/32) e^r, where |r| < 0.011 needs the Taylor
// series up to r^6.
double PortableExp(double x) {
  if (!(x >= -708.0)) return x < 0 ? 0.0 : x;
  if (x > 709.0) return kInfinity;
  const double shifted = x * (32.0 / 0.693147180559945309) + kRound;
  const auto steps = std::bit_cast<uint64_t>(shifted);
  const double whole = shifted - kRound;
  const double r = (x - whole * (kLn2High / 32)) - whole * (kLn2Low / 32);
  const auto entry = static_cast<uint64_t>(kExp2Table[steps % 32]);
  const auto power = std::bit_cast<double>(entry + (steps << 47));
  const double r2 = r * r;
  const double low = 1.0 / 2 + r * (1.0 / 6), high = 1.0 / 24 + r * (1.0 / 120) + r2 * (1.0 / 720);
  return power + power * (r + r2 * (low + r2 * high));
}

// x = 2^k (1 + f) with 1 + f near one. The polynomial is that of fdlibm (Sun 1993, e_log.c).
double PortableLog(double x) {
  if (!(x > 0)) return x == 0 ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
  if (x == kInfinity) return x;
  int k = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    k = -54;
  }
  const auto bits = std::bit_cast<uint64_t>(x);
  // The mantissa is from sqrt(1/2) to sqrt(2).
  const uint64_t offset = bits - 0x3fe6a09e667f3bcd;
  k += static_cast<int>(static_cast<int64_t>(offset) >> 52);
  const double f = std::bit_cast<double>(bits - (offset & 0xfff0000000000000)) - 1.0;
  const double s = f / (2.0 + f), z = s * s, w = z * z;
  const double odd = w * (3.999999999940941908e-01 +
                          w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  const double even = z * (6.666666666666735130e-01 +
                           w * (2.857142874366239149e-01 +
                                w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
  const double half = 0.5 * f * f;
  return k * kLn2High - ((half - (s * (half + (odd + even)) + k * kLn2Low)) - f);
}

double PortableExp2(int steps) {
  return std::bit_cast<double>(kExp2Table[steps & 31] + int64_t{steps} * (int64_t{1} << 47));
}

double PortablePow(double x, double y) { return PortableExp(y * PortableLog(x)); }

// The angle is n pi / 2 + r. The polynomials are those of fdlibm (Sun 1993, k_sin.c and k_cos.c).
SineCosine PortableSineCosine(double angle) {
  const double shifted = angle * (2 / 3.14159265358979323846) + kRound, n = shifted - kRound;
  const double r = (angle - n * kHalfPiHigh) - n * kHalfPiLow, z = r * r;
  double p = 1.58969099521155010221e-10;
  p = p * z + -2.50507602534068634195e-08;
  p = p * z + 2.75573137070700676789e-06;
  p = p * z + -1.98412698298579493134e-04;
  p = p * z + 8.33333333332248946124e-03;
  p = p * z + -1.66666666666666324348e-01;
  const double sine = r + r * z * p;
  double q = -1.13596475577881948265e-11;
  q = q * z + 2.08757232129817482790e-09;
  q = q * z + -2.75573143513906633035e-07;
  q = q * z + 2.48015872894767294178e-05;
  q = q * z + -1.38888888888741095749e-03;
  q = q * z + 4.16666666666666019037e-02;
  const double cosine = 1.0 - (0.5 * z - z * z * q);
  switch (std::bit_cast<uint64_t>(shifted) % 4) {
    case 0:
      return {sine, cosine};
    case 1:
      return {cosine, -sine};
    case 2:
      return {-sine, -cosine};
    default:
      return {-cosine, sine};
  }
}

double PortableTanh(double x) {
  const double power = PortableExp(-2 * std::fabs(x));
  return std::copysign((1 - power) / (1 + power), x);
}

}  // namespace edgegate
