#include "engine/quantize/linear_packer.h"

#include <algorithm>

#include "engine/base/thread_pool.h"
#include "engine/ops/int4_pack.h"
#include "engine/ops/int8_pack.h"
#include "engine/ops/int8_weights.h"

namespace edgegate {

LinearPacker::LinearPacker(BundleWriter* writer, const std::string& name, int k)
    : writer_(writer), name_(name), k_(k) {
  writer_->Begin(name_ + ".packed");
}

void LinearPacker::Add(const float* rows, int count) {
  const int blocks = Int8Blocks(count);
  const int64_t block_bytes = PackedBytes(64, k_);
  std::vector<int8_t> packed(static_cast<size_t>(blocks * block_bytes));
  const size_t first = scale_.size();
  scale_.resize(first + size_t{64} * blocks);
  sums_.resize(scale_.size());
  ParallelFor(blocks, [&](int b) {
    PackInt8Block(rows + int64_t{b} * 64 * k_, std::min(64, count - b * 64), k_,
                  packed.data() + b * block_bytes, &scale_[first + size_t{64} * b],
                  &sums_[first + size_t{64} * b]);
  });
  writer_->Append(packed.data(), packed.size());
}

void LinearPacker::Finish(std::vector<float> bias) {
  writer_->Write(name_ + ".scale", scale_.data(), scale_.size() * 4);
  writer_->Write(name_ + ".column_sum", sums_.data(), sums_.size() * 4);
  if (bias.empty()) return;
  bias.resize(scale_.size());
  writer_->Write(name_ + ".bias", bias.data(), bias.size() * 4);
}

void PackLinear(BundleWriter* writer, const std::string& name, const std::vector<float>& rows,
                int k, std::vector<float> bias) {
  LinearPacker packer(writer, name, k);
  packer.Add(rows.data(), static_cast<int>(rows.size()) / k);
  packer.Finish(std::move(bias));
}

void KeepRest(std::vector<float>* rows, int k) {
  const int n = static_cast<int>(rows->size()) / k;
  ParallelFor(Int8Blocks(n), [&](int block) {
    float* from = rows->data() + int64_t{block} * 64 * k;
    const int count = std::min(64, n - block * 64);
    std::vector<int8_t> packed(static_cast<size_t>(PackedBytes(64, k)));
    float scale[64];
    int32_t sums[64];
    PackInt8Block(from, count, k, packed.data(), scale, sums);
    for (int row = 0; row < count; ++row) {
      for (int i = 0; i < k; ++i) {
        from[int64_t{row} * k + i] -= scale[row] * packed[(int64_t{i / 4} * 64 + row) * 4 + i % 4];
      }
    }
  });
}

void PackFineLinear(BundleWriter* writer, const std::string& name, const std::vector<float>& rows,
                    int k, std::vector<float> bias) {
  PackLinear(writer, name, rows, k, std::move(bias));
  std::vector<float> rest = rows;
  KeepRest(&rest, k);
  PackLinear(writer, name + ".rest", rest, k, {});
}

void PackInt4Linear(BundleWriter* writer, const std::string& name,
                    const std::vector<Int4Group>& rows, int k, int group, std::vector<float> bias) {
  const int groups = Int4Groups(k);
  const int n = static_cast<int>(rows.size()) / groups;
  std::vector<uint8_t> packed(static_cast<size_t>(Int4PackedBytes(n, k, group)));
  ParallelFor(Int8Blocks(n), [&](int block) {
    PackInt4Block(rows.data() + int64_t{block} * 64 * groups, std::min(64, n - block * 64), k,
                  group, packed.data() + block * Int4PackedBytes(64, k, group));
  });
  writer->Write(name + (group == kInt4WideGroup ? ".int4x64" : ".int4"), packed.data(),
                packed.size());
  if (bias.empty()) return;
  bias.resize(static_cast<size_t>(Int8Padded(n)));
  writer->Write(name + ".bias", bias.data(), bias.size() * 4);
}

}  // namespace edgegate
