#include "engine/quantize/linear_packer.h"

#include <algorithm>
#include <utility>

#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int8/weights.h"

namespace edgegate {

namespace {

constexpr int kBlock = kInt8Block;  // rows that are packed together

// True if rows [first, first + count) are adjacent in memory.
bool AreTogether(const RowPointers& rows, int first, int count, int k) {
  for (int i = 0; i < count; ++i) {
    if (rows[first] == nullptr || rows[first + i] != rows[first] + int64_t{i} * k) return false;
  }
  return true;
}

// Copies rows [first, first + count) to contiguous memory.
void Gather(const RowPointers& rows, int first, int count, int k, float* to) {
  for (int row = 0; row < count; ++row, to += k) {
    if (const float* from = rows[first + row]) {
      std::copy_n(from, k, to);
    } else {
      std::fill_n(to, k, 0.0f);
    }
  }
}

}  // namespace

RowPointers RowsOf(std::initializer_list<const std::vector<float>*> parts, int k) {
  RowPointers rows;
  for (const auto* part : parts) {
    for (int64_t at = 0; at < std::ssize(*part); at += k) rows.push_back(part->data() + at);
  }
  return rows;
}

RowPointers GateUpRows(const std::vector<float>& gate, const std::vector<float>& up, int k) {
  const int count = static_cast<int>(std::ssize(gate) / k), blocks = Int8Blocks(count);
  RowPointers rows(size_t{2} * kBlock * blocks);
  for (int row = 0; row < count; ++row) {
    const int to = row / kBlock * 2 * kBlock + row % kBlock;
    rows[to] = gate.data() + int64_t{row} * k;
    rows[to + kBlock] = up.data() + int64_t{row} * k;
  }
  return rows;
}

void PackLinear(TensorWriter* writer, const std::string& name, const RowPointers& rows, int k,
                std::vector<float> bias, MakeLinearPacker* make_packer) {
  const int n = static_cast<int>(rows.size());
  const auto packer = make_packer(writer, name, {n, k}, std::move(bias));
  std::vector<std::vector<float>> gathered(ThreadPool::CurrentThreads());
  ParallelFor(Int8Blocks(n), [&](int block) {
    const int first = block * kBlock, count = std::min(kBlock, n - first);
    if (AreTogether(rows, first, count, k)) return packer->Pack(block, rows[first], count);
    std::vector<float>& copy = gathered[ThreadPool::Index()];
    copy.resize(size_t{kBlock} * k);
    Gather(rows, first, count, k, copy.data());
    packer->Pack(block, copy.data(), count);
  });
  packer->Finish();
}

}  // namespace edgegate
