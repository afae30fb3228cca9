#include "engine/bench/machine_speed.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "engine/base/aligned_buffer.h"
#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int8/kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/bench/machine_speed.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Computes in four independent vectors.
uint64_t ReadAll(const uint64_t* data, size_t size) {
  const hn::ScalableTag<uint64_t> d;
  const size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d), b = a, c = a, e = a;
  for (size_t i = 0; i + 4 * lanes <= size; i += 4 * lanes) {
    a = hn::Xor(a, hn::LoadU(d, data + i));
    b = hn::Xor(b, hn::LoadU(d, data + i + lanes));
    c = hn::Xor(c, hn::LoadU(d, data + i + 2 * lanes));
    e = hn::Xor(e, hn::LoadU(d, data + i + 3 * lanes));
  }
  return hn::GetLane(hn::Xor(hn::Xor(a, b), hn::Xor(c, e)));
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {
namespace {

HWY_EXPORT(ReadAll);
using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double MeasureRead() {
  MemoryReader reader;
  double best = 0;
  for (int i = 0; i < 24; ++i) best = std::max(best, reader.Read());
  return best;
}

// Times the kernel for many rows on a block and rows that stay in the first-level cache.
double MeasureInt8(int threads) {
  // The numbers are large, so that the start and the end of a tile do not count.
  constexpr int kQuads = 128, kTiles = 25000;
  const Int8Kernel& kernel = SelectInt8Kernel();
  const int count = kernel.strips != nullptr ? kStripRows : kernel.max_rows;
  AlignedBuffer<int8_t> block(size_t{256} * kQuads);
  AlignedBuffer<uint8_t> u8(size_t{8} * kQuads * count);
  AlignedBuffer<int16_t> s16(u8.size());
  const Int8Rows rows{u8.data(), s16.data(), size_t{4} * kQuads};
  const auto run = [&](int32_t* acc) {
    if (kernel.strips != nullptr) {
      kernel.strips->run(u8.data(), count, block.data(), kQuads, {}, acc);
    } else {
      // These are not the first rows of a matrix, because the first rows prefetch weights.
      kernel.tile(rows, count, count, block.data(), kQuads, acc);
    }
  };
  const int tiles = std::min(kTiles, 4 * kTiles / count / (kernel.reads_s16() ? 4 : 1));
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    const auto start = Clock::now();
    ParallelFor(threads, [&](int) {
      alignas(64) int32_t acc[std::max(8, kStripRows) * 64];
      for (int i = 0; i < tiles; ++i) run(acc);
    });
    const double products = 256.0 * kQuads * count * tiles * threads;
    best = std::max(best, 2 * products / Since(start) / 1e9);
  }
  return best;
}

}  // namespace

MemoryReader::MemoryReader() : memory_((size_t{512} << 20) / 8) {
  std::memset(memory_.data(), 1, memory_.size() * 8);
}

double MemoryReader::Read() {
  const size_t words = memory_.size() / 16;
  const int threads = ThreadPool::CurrentThreads();
  const size_t share = words / threads;
  std::atomic<uint64_t> sink = 0;
  const auto read = [&] {
    ParallelFor(threads,
                [&](int t) { sink ^= ReadWords(memory_.data() + next_ + t * share, share); });
    next_ = (next_ + words) % memory_.size();
  };
  read();  // wakes the threads
  const auto start = Clock::now();
  read();
  const double seconds = Since(start);
  // The condition keeps the compiler from removing the reads.
  return sink == 42 ? 0 : static_cast<double>(words) * 8 / seconds / 1e9;
}

uint64_t ReadWords(const uint64_t* data, size_t size) {
  return HWY_DYNAMIC_DISPATCH(ReadAll)(data, size);
}

MachineSpeed MeasureMachine(int threads) {
  ThreadPool pool(threads);
  const ThreadPool::Use use(&pool);
  return {MeasureRead(), MeasureInt8(threads)};
}

}  // namespace edgegate
#endif
