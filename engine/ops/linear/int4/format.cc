#include "engine/ops/linear/int4/format.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/base/half.h"
#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int4/pack.h"

namespace edgegate {
namespace {

// Returns the name of the tensor that holds a layer's groups.
std::string TensorName(const std::string& name, int group) {
  return name + (group == kInt4WideGroup ? ".int4x64" : ".int4");
}

}  // namespace

Int4Linear LoadInt4(TensorReader* reader, const std::string& name, LinearShape shape, bool bias) {
  Int4Linear w;
  w.n = shape.n;
  w.k = shape.k;
  w.group = reader->Has(TensorName(name, kInt4WideGroup)) ? kInt4WideGroup : kInt4Group;
  w.packed = reader->ReadArray<uint8_t>(TensorName(name, w.group),
                                        Int4PackedBytes(shape.n, shape.k, w.group));
  if (bias) w.bias = reader->ReadArray<float>(name + ".bias", w.n_padded());
  return w;
}

bool HasInt4(const TensorReader& reader, const std::string& name) {
  return reader.Has(TensorName(name, kInt4Group)) || reader.Has(TensorName(name, kInt4WideGroup));
}

Int4Linear RandomInt4(WeightArena* arena, LinearShape shape) {
  Int4Linear w;
  w.n = shape.n;
  w.k = shape.k;
  w.group = kInt4WideGroup;
  const int64_t bytes = Int4PackedBytes(w.n, w.k, w.group);
  uint8_t* packed = arena->Bytes(bytes);
  auto random = arena->NextRandom();
  const std::vector<uint16_t> scales(kInt8Block, FloatToF16(0.008f));
  const std::vector<uint16_t> minima(kInt8Block, FloatToF16(-0.06f));
  const int levels = Int4GroupBytes(w.group) - 4 * kInt8Block;
  for (uint8_t* group = packed; group < packed + bytes; group += Int4GroupBytes(w.group)) {
    for (int i = 0; i < levels; ++i) group[i] = random.Byte();
    std::memcpy(group + levels, scales.data(), 2 * kInt8Block);
    std::memcpy(group + levels + 2 * kInt8Block, minima.data(), 2 * kInt8Block);
  }
  w.packed = packed;
  return w;
}

void WriteInt4(TensorWriter* writer, const std::string& name, const std::vector<Int4Group>& rows,
               int k, int group, std::vector<float> bias) {
  const int groups = Int4Groups(k);
  const int n = static_cast<int>(rows.size()) / groups;
  const auto block_bytes = static_cast<size_t>(Int4PackedBytes(kInt8Block, k, group));
  const uint64_t at =
      writer->Reserve(TensorName(name, group), static_cast<uint64_t>(Int4PackedBytes(n, k, group)));
  ParallelFor(Int8Blocks(n), [&](int block) {
    std::vector<uint8_t> packed(block_bytes);
    PackInt4Block(rows.data() + int64_t{block} * kInt8Block * groups,
                  std::min(kInt8Block, n - block * kInt8Block), k, group, packed.data());
    writer->WriteAt(at + static_cast<uint64_t>(block) * block_bytes, packed.data(), block_bytes);
  });
  WriteBias(writer, name, std::move(bias));
}

}  // namespace edgegate
