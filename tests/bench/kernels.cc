// Measures the kernels of linear layers:
//   build/release/tests/bench/kernels
// On one block of 64 columns that stays in a cache: prints billions of multiply-adds per second,
// the best of many calls, for each kernel that this processor can run, each number of rows of a
// tile and each group of 4-bit weights. Then, for the fastest kernels: GB/s of one row times
// weights that are read from memory, by one thread and by all, in turn with plain reading.

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/bench/machine_speed.h"
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
  // The weights of a model are nearly normal.
  std::normal_distribution<float> normal(0, 37);
  for (size_t i = 0; i < block.size(); ++i) {
    block.data()[i] = static_cast<int8_t>(std::clamp(normal(*random), -127.0f, 127.0f));
  }
  AlignedBuffer<uint8_t> u8(kRows * kDepth);
  std::vector<int16_t> s16(u8.size());
  for (size_t i = 0; i < u8.size(); ++i) {
    u8[i] = static_cast<uint8_t>((*random)());
    s16[i] = u8[i];
  }
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
    if (kernel.strips == nullptr) continue;
    std::vector<WidePair> pairs;
    kernel.strips->find(block.data(), kDepth / 4, &pairs);
    alignas(64) int32_t sums[kStripRows * kInt8Block];
    const double speed = Measure(kStripRows, [&](int first) {
      kernel.strips->run(u8.data() + first * kDepth, kStripRows, block.data(), kDepth / 4, pairs,
                         sums);
    });
    std::printf("int8           %-14s strips  %6.1f\n", kernel.target.name, speed);
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

constexpr int kWide = 2048;                   // k of the weights that are read from memory
constexpr int64_t kPass = int64_t{48} << 20;  // bytes that a thread reads in a pass
constexpr int kPasses = 7, kRounds = 60;      // parts of a thread's memory; measurements

// One of the programs that MeasureMemory() compares. run(block) reads one block of `bytes` bytes.
struct Reader {
  std::string name;
  int64_t bytes;
  std::function<void(const uint8_t* block)> run;
};

// Runs the readers in turn, each for some milliseconds, since the speed of a shared machine
// changes. Prints the medians of their speeds and of their ratios to the first reader just before.
void MeasureMemory(int threads, const std::vector<Reader>& readers) {
  const size_t count = readers.size();
  std::vector<std::vector<double>> took(count * kRounds, std::vector<double>(threads));
  std::barrier together(threads);
  std::vector<std::jthread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      AlignedBuffer<uint8_t> memory(size_t{kPasses} * kPass + kFetchAhead512);
      std::fill_n(memory.data(), memory.size(), uint8_t{17});
      for (size_t i = 0; i < took.size(); ++i) {
        const Reader& reader = readers[i % count];
        // No pass reads what the passes before it have left in a cache.
        const uint8_t* from = memory.data() + i % kPasses * kPass;
        together.arrive_and_wait();
        const auto start = std::chrono::steady_clock::now();
        for (int64_t at = 0; at + reader.bytes <= kPass; at += reader.bytes) reader.run(from + at);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        took[i][static_cast<size_t>(t)] = seconds.count();
      }
    });
  }
  all.clear();
  auto speed = [&](size_t i) {
    const int64_t bytes = kPass / readers[i % count].bytes * readers[i % count].bytes;
    return static_cast<double>(threads * bytes) / *std::ranges::max_element(took[i]) / 1e9;
  };
  for (size_t reader = 0; reader < count; ++reader) {
    std::vector<double> speeds, ratios;
    for (size_t i = reader; i < took.size(); i += count) {
      speeds.push_back(speed(i));
      ratios.push_back(speed(i) / speed(i - reader));
    }
    std::ranges::nth_element(speeds, speeds.begin() + kRounds / 2);
    std::ranges::nth_element(ratios, ratios.begin() + kRounds / 2);
    std::printf("%-14s from memory, %d threads: %5.1f GB/s, %3.0f %% of reading\n",
                readers[reader].name.c_str(), threads, speeds[kRounds / 2],
                100 * ratios[kRounds / 2]);
  }
}

void MeasureMemory(int threads) {
  std::vector<Reader> readers;
  std::atomic<uint64_t> sink = 0;
  constexpr int64_t kRead = int64_t{1} << 16;
  readers.push_back({"reading", kRead, [&](const uint8_t* block) {
                       sink ^= ReadWords(reinterpret_cast<const uint64_t*>(block), kRead / 8);
                     }});
  const std::vector<uint8_t> u8(kWide, 130);
  const std::vector<int16_t> s16(kWide, 3);
  const Int8Rows int8_rows{u8.data(), s16.data(), kWide};
  readers.push_back({"int8", int64_t{kWide} * kInt8Block, [&](const uint8_t* block) {
                       alignas(64) int32_t acc[8 * kInt8Block];
                       SelectInt8Kernel().tile(
                           int8_rows, 0, 1, reinterpret_cast<const int8_t*>(block), kWide / 4, acc);
                     }});
  const std::vector<int8_t> s8(kWide, 3);
  const std::vector<Int4Rows::Terms> terms(kWide / kInt4Group, {0.01f, 0.1f});
  for (const int group : {32, 64}) {
    const int groups = kWide / group;
    readers.push_back({"int4 group " + std::to_string(group),
                       int64_t{groups} * Int4GroupBytes(group),
                       [&, group, groups](const uint8_t* block) {
                         alignas(64) float sums[Int4Kernel::kMaxRows * kInt8Block];
                         SelectInt4Kernel().tile({s8.data(), terms.data(), kWide, group}, 0, 1,
                                                 block, groups, sums);
                       }});
  }
  MeasureMemory(threads, readers);
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
