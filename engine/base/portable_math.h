// Elementary functions with the same bits on every processor and with every C library. The C
// library selects variants by the processor (with or without fused multiply-add), whose last bits
// differ. These functions use additions, multiplications and divisions only, in a fixed order. The
// compiler may not contract them (-ffp-contract=off). All are thread-safe.
#pragma once

#include <cstdint>

namespace edgegate {

// Returns e^x with an error below 2e-16 of the result. Zero for x < -708. Infinity for x > 709.
double PortableExp(double x);

// Returns the natural logarithm with an error below 2e-16 of the result or of one. Minus infinity
// for zero. NaN for negative numbers.
double PortableLog(double x);

// Returns x^y for x > 0, with an error below 1e-14 of the result for results from 1e-9 to 1e9.
double PortablePow(double x, double y);

struct SineCosine {
  double sine, cosine;
};
// Returns the sine and the cosine of an angle in radians, with an error below 3e-16 for angles up
// to a million.
SineCosine PortableSineCosine(double angle);

// Returns the hyperbolic tangent with an error below 1e-15.
double PortableTanh(double x);

// The bits of 2^(i/32), minus i << 47. Adding k << 47 gives 2^(k/32) for each k with k % 32 = i.
extern const int64_t kExp2Table[32];

// Returns 2^(steps / 32) for steps from -32,000 to 32,000.
double PortableExp2(int steps);

}  // namespace edgegate
