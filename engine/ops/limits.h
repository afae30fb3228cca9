// What this machine can do at most, measured: the yardsticks of the benchmarks.
#pragma once

namespace edgegate {

struct MachineLimits {
  double read_gb_s = 0;  // reading memory that is in no cache, all threads
  double int8_gops = 0;  // u8 x s8 products and sums from registers, with the kernel in use
};

// Takes about a second and 512 MiB.
MachineLimits MeasureLimits(int threads);

}  // namespace edgegate
