#include "engine/ops/linear/int8/format.h"

#include <algorithm>
#include <utility>

#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int8/pack.h"

namespace edgegate {
namespace {

class Int8Packer : public LinearPacker {
 public:
  Int8Packer(TensorWriter* writer, const std::string& name, LinearShape shape,
             std::vector<float> bias)
      : matrix_(writer, name, shape), scratch_(ThreadPool::CurrentThreads()) {
    WriteBias(writer, name, std::move(bias));
  }

  void Pack(int block, const float* rows, int count) override {
    matrix_.Pack(block, rows, count, &scratch_[ThreadPool::Index()]);
  }
  void Finish() override { matrix_.Finish(); }

 private:
  Int8MatrixPacker matrix_;
  std::vector<std::vector<int8_t>> scratch_;  // one for each thread
};

}  // namespace

Int8Linear LoadInt8(TensorReader* reader, const std::string& name, LinearShape shape, bool bias) {
  Int8Linear w;
  w.n = shape.n;
  w.k = shape.k;
  const int64_t rows = w.n_padded();
  w.packed = reader->ReadArray<int8_t>(name + ".packed", PackedBytes(w.n, w.k));
  w.scale = reader->ReadArray<float>(name + ".scale", rows);
  w.column_sum = reader->ReadArray<int32_t>(name + ".column_sum", rows);
  if (bias) w.bias = reader->ReadArray<float>(name + ".bias", rows);
  return w;
}

Int8Linear RandomInt8(WeightArena* arena, LinearShape shape) {
  Int8Linear w;
  w.n = shape.n;
  w.k = shape.k;
  const int64_t bytes = PackedBytes(w.n, w.k);
  auto* packed = reinterpret_cast<int8_t*>(arena->Bytes(bytes));
  auto random = arena->NextRandom();
  // The mean of four bytes is nearly normal, with a standard deviation of 37. So are the weights of
  // a row whose largest is 3.5 times their standard deviation.
  for (int64_t i = 0; i < bytes; ++i) {
    const int four = random.Byte() + random.Byte() + random.Byte() + random.Byte();
    packed[i] = static_cast<int8_t>(std::max(-127, four / 4 - 128));
  }
  w.packed = packed;
  w.scale = arena->Floats(w.n_padded(), 0.0005f);
  int32_t* sum = arena->Ints(w.n_padded());
  const int quads = w.k_padded() / 4, quad_bytes = 4 * kInt8Block;
  for (int64_t i = 0; i < bytes; ++i) {
    const int64_t block = i / (int64_t{quads} * quad_bytes);
    sum[block * kInt8Block + i % quad_bytes / 4] += packed[i];
  }
  w.column_sum = sum;
  return w;
}

Int8MatrixPacker::Int8MatrixPacker(TensorWriter* writer, const std::string& name, LinearShape shape)
    : writer_(writer),
      k_(shape.k),
      scale_(static_cast<size_t>(Int8Padded(shape.n))),
      sums_(scale_.size()) {
  packed_at_ =
      writer->Reserve(name + ".packed", static_cast<uint64_t>(PackedBytes(shape.n, shape.k)));
  scale_at_ = writer->Reserve(name + ".scale", scale_.size() * 4);
  sums_at_ = writer->Reserve(name + ".column_sum", sums_.size() * 4);
}

void Int8MatrixPacker::Pack(int block, const float* rows, int count, std::vector<int8_t>* packed) {
  packed->resize(static_cast<size_t>(PackedBytes(kInt8Block, k_)));
  PackInt8Block(rows, count, k_, packed->data(), &scale_[block * kInt8Block],
                &sums_[block * kInt8Block]);
  writer_->WriteAt(packed_at_ + static_cast<uint64_t>(block) * packed->size(), packed->data(),
                   packed->size());
}

void Int8MatrixPacker::Finish() {
  writer_->WriteAt(scale_at_, scale_.data(), scale_.size() * 4);
  writer_->WriteAt(sums_at_, sums_.data(), sums_.size() * 4);
}

void WriteBias(TensorWriter* writer, const std::string& name, std::vector<float> bias) {
  if (bias.empty()) return;
  bias.resize(static_cast<size_t>(Int8Padded(static_cast<int>(bias.size()))));
  writer->Write(name + ".bias", bias.data(), bias.size() * 4);
}

std::unique_ptr<LinearPacker> MakeInt8Packer(TensorWriter* writer, const std::string& name,
                                             LinearShape shape, std::vector<float> bias) {
  return std::make_unique<Int8Packer>(writer, name, shape, std::move(bias));
}

}  // namespace edgegate
