// Measures the kernels of linear layers:
//   build/release/tests/bench/kernels
// On one block of 64 columns that stays in a cache: prints billions of multiply-adds per second,
// the best of many calls, for each kernel that this processor can run, each number of rows of a
// tile and each group of 4-bit weights. Then, for the fastest kernels: GB/s of one row times
// weights that are read from memory, by one thread and by all.

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/linear/int4/kernel.h"
#include "engine/ops/linear/int4/weights.h"
#include "engine/ops/linear/int8/kernel.h"
#include "engine/ops/linear/int8/weights.h"

namespace edgegate {
namespace {

constexpr int kDepth = 512;  // k: the block and the rows fit a second-level cache
constexpr int kRows = 96;
constexpr int kCalls = 400;

// Returns the speed of tiles of `count` rows. run(first) computes one tile.
template <typename Run>
double Measure(int count, Run run) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  int rows = 0;
  for (int call = 0; call < kCalls; ++call) {
    const auto start = Clock::now();
    // The first rows prefetch the next block, which other rows do not.
    for (rows = 0; rows + 2 * count <= kRows; rows += count) run(rows + count);
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return double{1} * rows * kDepth * kInt8Block / best / 1e9;
}

void MeasureInt8(std::mt19937* random) {
  AlignedBuffer<int8_t> block(size_t{kDepth} * kInt8Block + kFetchAhead);
  for (size_t i = 0; i < block.size(); ++i) block.data()[i] = static_cast<int8_t>((*random)());
  std::vector<uint8_t> u8(kRows * kDepth);
  for (uint8_t& value : u8) value = static_cast<uint8_t>((*random)());
  const std::vector<int16_t> s16(u8.begin(), u8.end());
  const Int8Rows rows{u8.data(), s16.data(), kDepth};
  alignas(64) int32_t acc[8 * kInt8Block];
  for (const Int8Kernel& kernel : Int8Kernels()) {
    if (!CurrentIsa().features.HasAll(kernel.target.needs)) continue;
    for (int count = 1; count <= kernel.max_rows; ++count) {
      const double speed = Measure(count, [&](int first) {
        kernel.tile(rows, first, count, block.data(), kDepth / 4, acc);
      });
      std::printf("int8           %-14s %d rows  %6.1f\n", kernel.target.name, count, speed);
    }
  }
}

void MeasureInt4(int group, std::mt19937* random) {
  const int groups = kDepth / group;
  AlignedBuffer<uint8_t> block(size_t{1} * groups * Int4GroupBytes(group) + kFetchAhead);
  // Bytes below 64 are halves of small numbers too.
  for (size_t i = 0; i < block.size(); ++i) block.data()[i] = (*random)() % 64;
  std::vector<int8_t> s8(kRows * kDepth);
  for (int8_t& value : s8) value = static_cast<int8_t>((*random)() % 255 - 127);
  const std::vector<Int4Rows::Terms> terms(size_t{1} * kRows * groups, {0.01f, 0.1f});
  const Int4Rows rows{s8.data(), terms.data(), kDepth, group};
  alignas(64) float sums[Int4Kernel::kMaxRows * kInt8Block];
  for (const Int4Kernel& kernel : Int4Kernels()) {
    if (!CurrentIsa().features.HasAll(kernel.target.needs)) continue;
    for (int count = 1; count <= kernel.max_rows; ++count) {
      const double speed = Measure(
          count, [&](int first) { kernel.tile(rows, first, count, block.data(), groups, sums); });
      std::printf("int4 group %d  %-14s %d rows  %6.1f\n", group, kernel.target.name, count, speed);
    }
  }
}

constexpr int64_t kMemory = int64_t{384} << 20;  // bytes of weights for each thread
constexpr int kWide = 2048;                      // k of these weights

// run(block) computes one row times one block of `bytes` bytes. Prints the best of some passes.
template <typename Run>
void MeasureMemory(const char* name, int64_t bytes, int threads, Run run) {
  std::vector<std::jthread> all;
  std::vector<double> speeds(static_cast<size_t>(threads));
  std::barrier together(threads);
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      AlignedBuffer<uint8_t> memory(static_cast<size_t>(kMemory));
      std::fill_n(memory.data(), memory.size(), uint8_t{17});
      double best = 0;
      for (int pass = 0; pass < 5; ++pass) {
        together.arrive_and_wait();
        const auto start = std::chrono::steady_clock::now();
        int64_t at = 0;
        for (; at + bytes <= kMemory; at += bytes) run(memory.data() + at);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        best = std::max(best, static_cast<double>(at) / took.count() / 1e9);
      }
      speeds[static_cast<size_t>(t)] = best;
    });
  }
  all.clear();
  std::printf("%s, %d threads: %.1f GB/s\n", name, threads,
              std::accumulate(speeds.begin(), speeds.end(), 0.0));
}

void MeasureMemory(int threads) {
  const std::vector<uint8_t> u8(kWide, 130);
  const std::vector<int16_t> s16(kWide, 3);
  const Int8Rows int8_rows{u8.data(), s16.data(), kWide};
  MeasureMemory("int8 from memory", int64_t{kWide} * kInt8Block, threads,
                [&](const uint8_t* block) {
                  alignas(64) int32_t acc[8 * kInt8Block];
                  SelectInt8Kernel().tile(int8_rows, 0, 1, reinterpret_cast<const int8_t*>(block),
                                          kWide / 4, acc);
                });
  const std::vector<int8_t> s8(kWide, 3);
  for (const int group : {32, 64}) {
    const int groups = kWide / group;
    const std::vector<Int4Rows::Terms> terms(static_cast<size_t>(groups), {0.01f, 0.1f});
    const Int4Rows rows{s8.data(), terms.data(), kWide, group};
    const std::string name = "int4 group " + std::to_string(group) + " from memory";
    MeasureMemory(name.c_str(), int64_t{groups} * Int4GroupBytes(group), threads,
                  [&](const uint8_t* block) {
                    alignas(64) float sums[Int4Kernel::kMaxRows * kInt8Block];
                    SelectInt4Kernel().tile(rows, 0, 1, block, groups, sums);
                  });
  }
}

}  // namespace
}  // namespace edgegate

int main() {
  std::mt19937 random(1);
  edgegate::MeasureInt8(&random);
  for (const int group : {32, 64}) edgegate::MeasureInt4(group, &random);
  const int processors = static_cast<int>(std::thread::hardware_concurrency());
  for (const int threads : {1, processors}) edgegate::MeasureMemory(threads);
  return 0;
}
