// Measures the speed of the machine, for `edgegate bench`.
#pragma once

namespace edgegate {

struct MachineSpeed {
  double read_gb_s = 0;  // reading memory that is in no cache, with all threads
  double int8_gops = 0;  // u8 x s8 products and sums of the selected kernel, operands in the cache
};

// Takes about a second and 512 MiB. Throws std::bad_alloc.
MachineSpeed MeasureMachine(int threads);

}  // namespace edgegate
