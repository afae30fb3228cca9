#include "engine/ops/linear/int16/format.h"

#include <algorithm>
#include <utility>

#include "engine/base/thread_pool.h"

namespace edgegate {
namespace {

constexpr char kLevels[] = ".int16";
constexpr char kScale[] = ".scale";

class Int16Packer : public LinearPacker {
 public:
  Int16Packer(TensorWriter* writer, const std::string& name, LinearShape shape,
              std::vector<float> bias)
      : writer_(writer),
        k_(shape.k),
        block_levels_(Int16Linear{.k = shape.k}.block_levels()),
        scale_(static_cast<size_t>(Int8Padded(shape.n))),
        scratch_(ThreadPool::CurrentThreads()) {
    const auto blocks = static_cast<uint64_t>(Int8Blocks(shape.n));
    levels_at_ = writer->Reserve(name + kLevels, blocks * BlockBytes());
    scale_at_ = writer->Reserve(name + kScale, scale_.size() * sizeof(float));
    WriteBias(writer, name, std::move(bias));
  }

  void Pack(int block, const float* rows, int count) override {
    Scratch& scratch = scratch_[ThreadPool::Index()];
    const int padded = Int16Groups(k_) * kInt16Group;
    scratch.row.resize(static_cast<size_t>(padded));
    scratch.packed.assign(static_cast<size_t>(block_levels_), 0);
    for (int c = 0; c < count; ++c) {
      RoundToInt16(rows + int64_t{c} * k_, k_, padded, kInt16WeightLevel, scratch.row.data(),
                   &scale_[static_cast<size_t>(block * kInt8Block + c)]);
      for (int i = 0; i < padded; ++i) {
        scratch.packed[static_cast<size_t>((int64_t{i / 2} * kInt8Block + c) * 2 + i % 2)] =
            scratch.row[static_cast<size_t>(i)];
      }
    }
    writer_->WriteAt(levels_at_ + static_cast<uint64_t>(block) * BlockBytes(),
                     scratch.packed.data(), BlockBytes());
  }

  void Finish() override {
    writer_->WriteAt(scale_at_, scale_.data(), scale_.size() * sizeof(float));
  }

 private:
  struct Scratch {
    std::vector<int16_t> row, packed;
  };

  size_t BlockBytes() const { return static_cast<size_t>(block_levels_) * sizeof(int16_t); }

  TensorWriter* const writer_;
  const int k_;
  const int64_t block_levels_;
  std::vector<float> scale_;
  std::vector<Scratch> scratch_;  // one for each thread
  uint64_t levels_at_ = 0, scale_at_ = 0;
};

}  // namespace

bool HasInt16(const TensorReader& reader, const std::string& name) {
  return reader.Has(name + kLevels);
}

Int16Linear LoadInt16(TensorReader* reader, const std::string& name, LinearShape shape, bool bias) {
  Int16Linear w;
  w.n = shape.n;
  w.k = shape.k;
  w.packed = reader->ReadArray<int16_t>(name + kLevels, w.levels());
  w.scale = reader->ReadArray<float>(name + kScale, w.n_padded());
  if (bias) w.bias = reader->ReadArray<float>(name + ".bias", w.n_padded());
  return w;
}

Int16Linear RandomInt16(WeightArena* arena, LinearShape shape) {
  Int16Linear w;
  w.n = shape.n;
  w.k = shape.k;
  auto* levels =
      reinterpret_cast<int16_t*>(arena->Bytes(w.levels() * static_cast<int64_t>(sizeof(int16_t))));
  auto random = arena->NextRandom();
  for (int64_t i = 0; i < w.levels(); ++i)
    levels[i] = static_cast<int16_t>(16 * (random.Byte() - 128));
  w.packed = levels;
  w.scale = arena->Floats(w.n_padded(), 0.00003f);
  return w;
}

std::unique_ptr<LinearPacker> MakeInt16Packer(TensorWriter* writer, const std::string& name,
                                              LinearShape shape, std::vector<float> bias) {
  return std::make_unique<Int16Packer>(writer, name, shape, std::move(bias));
}

}  // namespace edgegate
