// Measures the speed of the machine, for `edgegate bench`.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/aligned_buffer.h"

namespace edgegate {

struct MachineSpeed {
  double read_gb_s = 0;  // reading memory that is in no cache, with all threads
  double int8_gops = 0;  // u8 x s8 products and sums of the selected kernel, operands in the cache
};

// Reads memory that is in no cache, with the threads of ThreadPool::Current(). Owned by one thread.
class MemoryReader {
 public:
  // Takes 512 MiB. Throws std::bad_alloc.
  MemoryReader();
  // Reads the next 64 MiB, and the first ones after the last. Returns the speed of the second half
  // in GB/s.
  double Read();

 private:
  AlignedBuffer<uint64_t> memory_;
  size_t next_ = 0;  // in words
};

// Reads `size` words as fast as the processor can, and returns their exclusive or. The last words
// are left out if they do not fill four vectors.
uint64_t ReadWords(const uint64_t* data, size_t size);

// Takes about a second and 512 MiB. Throws std::bad_alloc.
MachineSpeed MeasureMachine(int threads);

}  // namespace edgegate
