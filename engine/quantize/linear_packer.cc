#include "engine/quantize/linear_packer.h"

#include <algorithm>
#include <utility>

#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int4/pack.h"
#include "engine/ops/linear/int8/pack.h"
#include "engine/ops/linear/int8/weights.h"

namespace edgegate {

namespace {

constexpr int kBlock = kInt8Block;  // rows that are packed together

// True where rows [first, first + count) follow each other in memory.
bool AreTogether(const RowPointers& rows, int first, int count, int k) {
  for (int i = 0; i < count; ++i) {
    if (rows[first] == nullptr || rows[first + i] != rows[first] + int64_t{i} * k) return false;
  }
  return true;
}

// Copies rows [first, first + count).
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

LinearPacker::LinearPacker(BundleWriter* writer, const std::string& name, int n, int k,
                           std::vector<float> bias, bool fine)
    : writer_(writer), n_(n), k_(k), scratch_(ThreadPool::CurrentThreads()) {
  matrices_.push_back(Reserve(name));
  if (!bias.empty()) {
    bias.resize(Int8Padded(n));
    writer_->Write(name + ".bias", bias.data(), bias.size() * 4);
  }
  if (fine) matrices_.push_back(Reserve(name + ".rest"));
}

LinearPacker::Matrix LinearPacker::Reserve(const std::string& name) {
  const auto padded = static_cast<size_t>(Int8Padded(n_));
  Matrix matrix;
  matrix.packed_at = writer_->Reserve(name + ".packed", static_cast<uint64_t>(PackedBytes(n_, k_)));
  matrix.scale_at = writer_->Reserve(name + ".scale", padded * 4);
  matrix.sums_at = writer_->Reserve(name + ".column_sum", padded * 4);
  matrix.scale.resize(padded);
  matrix.sums.resize(padded);
  return matrix;
}

void LinearPacker::Pack(int block, const float* rows, int count) {
  Scratch& scratch = scratch_[ThreadPool::Index()];
  Write(&matrices_[0], block, rows, count, &scratch.packed);
  if (matrices_.size() == 1) return;
  scratch.rest.assign(rows, rows + int64_t{count} * k_);
  for (int row = 0; row < count; ++row) {
    float* rest = scratch.rest.data() + int64_t{row} * k_;
    const float scale = matrices_[0].scale[block * kBlock + row];
    for (int i = 0; i < k_; ++i) {
      rest[i] -= scale * scratch.packed[(int64_t{i / 4} * kBlock + row) * 4 + i % 4];
    }
  }
  Write(&matrices_[1], block, scratch.rest.data(), count, &scratch.packed);
}

void LinearPacker::Write(Matrix* matrix, int block, const float* rows, int count,
                         std::vector<int8_t>* packed) {
  packed->resize(static_cast<size_t>(PackedBytes(kBlock, k_)));
  PackInt8Block(rows, count, k_, packed->data(), &matrix->scale[block * kBlock],
                &matrix->sums[block * kBlock]);
  writer_->WriteAt(matrix->packed_at + static_cast<uint64_t>(block) * packed->size(),
                   packed->data(), packed->size());
}

void LinearPacker::Finish() {
  for (const Matrix& m : matrices_) {
    writer_->WriteAt(m.scale_at, m.scale.data(), m.scale.size() * 4);
    writer_->WriteAt(m.sums_at, m.sums.data(), m.sums.size() * 4);
  }
}

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

void PackLinear(BundleWriter* writer, const std::string& name, const RowPointers& rows, int k,
                std::vector<float> bias, bool fine) {
  const int n = static_cast<int>(rows.size());
  LinearPacker packer(writer, name, n, k, std::move(bias), fine);
  std::vector<std::vector<float>> gathered(ThreadPool::CurrentThreads());
  ParallelFor(Int8Blocks(n), [&](int block) {
    const int first = block * kBlock, count = std::min(kBlock, n - first);
    if (AreTogether(rows, first, count, k)) return packer.Pack(block, rows[first], count);
    std::vector<float>& copy = gathered[ThreadPool::Index()];
    copy.resize(size_t{kBlock} * k);
    Gather(rows, first, count, k, copy.data());
    packer.Pack(block, copy.data(), count);
  });
  packer.Finish();
}

void PackInt4Linear(BundleWriter* writer, const std::string& name,
                    const std::vector<Int4Group>& rows, int k, int group, std::vector<float> bias) {
  const int groups = Int4Groups(k);
  const int n = static_cast<int>(rows.size()) / groups;
  const auto block_bytes = static_cast<size_t>(Int4PackedBytes(kBlock, k, group));
  const uint64_t at = writer->Reserve(name + (group == kInt4WideGroup ? ".int4x64" : ".int4"),
                                      static_cast<uint64_t>(Int4PackedBytes(n, k, group)));
  ParallelFor(Int8Blocks(n), [&](int block) {
    std::vector<uint8_t> packed(block_bytes);
    PackInt4Block(rows.data() + int64_t{block} * kBlock * groups,
                  std::min(kBlock, n - block * kBlock), k, group, packed.data());
    writer->WriteAt(at + static_cast<uint64_t>(block) * block_bytes, packed.data(), block_bytes);
  });
  if (bias.empty()) return;
  bias.resize(static_cast<size_t>(Int8Padded(n)));
  writer->Write(name + ".bias", bias.data(), bias.size() * 4);
}

}  // namespace edgegate
