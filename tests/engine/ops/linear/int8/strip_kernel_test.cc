#include "engine/ops/linear/int8/strip_kernel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <random>
#include <span>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/linear/int8/kernel.h"
#include "tests/fakes/kernel_paths.h"

namespace edgegate {
namespace {

// A block of weights and rows of activations, each also in strips.
struct Operands {
  Operands(int all_quads, std::mt19937* random) : quads(all_quads), block(size_t{256} * quads) {
    // Activations that make products saturate, and those next to them.
    constexpr uint8_t kValues[] = {0, 1, 127, 128, 250, 254, 255, 255};
    u8.Reset(size_t{4} * quads * kStripRows);
    strip.Reset(u8.size());
    for (size_t i = 0; i < u8.size(); ++i) {
      u8[i] = kValues[(*random)() % std::size(kValues)];
      const size_t row = i / (4 * quads), k = i % (4 * quads);
      strip[(k / 4 * kStripRows + row) * 4 + k % 4] = u8[i];
    }
    for (int8_t& w : std::span(block.data(), block.size())) {
      w = static_cast<int8_t>(static_cast<int>((*random)() % 91) - 45);
    }
  }

  // Sets the weights of k and k + 1 of a column.
  void SetPair(int k, int column, int first, int second) {
    int8_t* w = block.data() + (size_t{256} * (k / 4)) + 4 * column + k % 4;
    w[0] = static_cast<int8_t>(first);
    w[1] = static_cast<int8_t>(second);
  }

  int quads;
  AlignedBuffer<int8_t> block;
  AlignedBuffer<uint8_t> u8, strip;
};

// Calls body(kernel) for each kernel of strips that this processor can run.
template <typename Body>
void ForEachStripKernel(Body body) {
  std::vector<Int8Kernel> kernels;
  std::ranges::copy_if(Int8Kernels(), std::back_inserter(kernels),
                       [](const Int8Kernel& kernel) { return kernel.strips != nullptr; });
  ForEachKernel("int8 strips", std::span<const Int8Kernel>(kernels),
                [&](const Int8Kernel& kernel) { body(*kernel.strips); });
}

TEST_CASE("the sums of strips are exact where sums of two products do not fit s16") {
  std::mt19937 random(5);
  ForEachStripKernel([&](const Int8StripKernel& kernel) {
    for (int round = 0; round < 200; ++round) {
      const int quads = 1 + static_cast<int>(random() % 100);
      const int count = 1 + static_cast<int>(random() % kStripRows);
      CAPTURE(quads);
      CAPTURE(count);
      Operands of(quads, &random);
      // At most one of 32 pairs is near the limit. At 128 it does not saturate, at 129 it does.
      for (int i = 0; i < 4 * quads; ++i) {
        const int first = 1 + static_cast<int>(random() % 127);
        const int second = std::min(127, 127 + static_cast<int>(random() % 4) - first);
        const int sign = random() % 2 == 0 ? 1 : -1;
        of.SetPair(2 * static_cast<int>(random() % (2 * quads)), static_cast<int>(random() % 64),
                   sign * first, sign * second);
      }
      std::vector<WidePair> pairs;
      REQUIRE(kernel.find(of.block.data(), quads, &pairs));
      alignas(64) int32_t got[kStripRows * 64], expected[kStripRows * 64];
      kernel.run(of.strip.data(), count, of.block.data(), quads, pairs, got);
      const Int8Rows rows{of.u8.data(), nullptr, size_t{4} * quads};
      Int8TileReference(rows, 0, count, of.block.data(), quads, expected);
      CHECK(std::equal(got, got + count * 64, expected));
    }
  });
}

TEST_CASE("all pairs that can saturate are found") {
  std::mt19937 random(6);
  ForEachStripKernel([&](const Int8StripKernel& kernel) {
    Operands of(16, &random);
    std::vector<WidePair> pairs;
    int wrong = 0, cut = 0;
    for (int first = -127; first <= 127; ++first) {
      for (int second = -127; second <= 127; ++second) {
        const int k = 2 * static_cast<int>(random() % 32), column = static_cast<int>(random() % 64);
        of.SetPair(k, column, first, second);
        REQUIRE(kernel.find(of.block.data(), of.quads, &pairs));
        const int most = 255 * (std::max(first, 0) + std::max(second, 0));
        const int least = 255 * (std::min(first, 0) + std::min(second, 0));
        const bool saturates = most > INT16_MAX || least < INT16_MIN;
        cut += saturates;
        const bool found = std::ranges::any_of(pairs, [&](const WidePair& pair) {
          return 4 * pair.quad + 2 * pair.half == k && pair.column == column &&
                 pair.weights[0] == first && pair.weights[1] == second;
        });
        wrong += found != saturates || pairs.size() != found;
        of.SetPair(k, column, 0, 0);
      }
    }
    CHECK(wrong == 0);
    CHECK(cut == 2 * 126 * 127 / 2);  // (2, 127), (3, 126), (3, 127) and so on, with both signs
  });
}

TEST_CASE("a block of many wide pairs is refused") {
  std::mt19937 random(7);
  ForEachStripKernel([&](const Int8StripKernel& kernel) {
    Operands of(32, &random);
    std::vector<WidePair> pairs;
    // One of 16 pairs is accepted, and one more is not.
    const int most = 64 * 2 * of.quads / 16;
    for (int i = 0; i < most; ++i) of.SetPair(2 * (i / 64), i % 64, 127, 127);
    CHECK(kernel.find(of.block.data(), of.quads, &pairs));
    CHECK(pairs.size() == static_cast<size_t>(most));
    of.SetPair(2 * (most / 64), most % 64, -127, -2);
    CHECK_FALSE(kernel.find(of.block.data(), of.quads, &pairs));
  });
}

}  // namespace
}  // namespace edgegate
