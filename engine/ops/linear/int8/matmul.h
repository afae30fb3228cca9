// INT8 linear layers: quantized activation rows times packed weights, with a fused epilogue. The
// scheme is W8A8. Activations are u8, asymmetric, dynamic, with a scale and a zero point for each
// row. Weights are s8, symmetric, with a scale for each output. Products are accumulated exactly in
// s32. So the result of a row is the same bits for any batch, backend and number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/linear/int8/kernel.h"
#include "engine/ops/linear/int8/rows.h"
#include "engine/ops/linear/int8/weights.h"

namespace edgegate {

class OneDnnInt8;

// Computes linear layers with the threads of ThreadPool::Current(). Owned by one thread.
class Int8MatMul {
 public:
  // kAuto uses oneDNN's matmul if it has a VNNI or AMX kernel and the batch is large enough to gain
  // from it, and our kernels otherwise. kOwn and kOneDnn always use one of them, for tests and
  // measurements. kOneDnn is kOwn if oneDNN has no such kernel.
  enum class Backend { kAuto, kOwn, kOneDnn };

  // Selects the kernels of the current level (SetIsaCap()). Throws std::bad_alloc.
  explicit Int8MatMul(Backend backend = Backend::kAuto);
  ~Int8MatMul();

  // Sets out[r][n] = (row r of x) . w[n] + bias[n], for n < w.n. `out` is float, with rows `stride`
  // floats apart.
  void Store(const QuantizedRows& x, const Int8Linear& w, float* out, int64_t stride);

  // Adds the value of Store() to out[r][n].
  void Add(const QuantizedRows& x, const Int8Linear& w, float* out, int64_t stride);

  // Sets out[r][i] = silu(gate) * up for i < w.n_padded() / 2. The 64-column blocks of w alternate
  // gate and up.
  void SwiGlu(const QuantizedRows& x, const Int8Linear& w, float* out, int64_t stride);

  // Sets out[r][n] = gelu(the value of Store()), in the tanh form.
  void Gelu(const QuantizedRows& x, const Int8Linear& w, float* out, int64_t stride);

  // Returns the kernel whose layouts of activations are needed.
  const Int8Kernel& kernel() const { return kernel_; }

  // Describes the backend and the kernels, for reports: "oneDNN brg:avx512_core_vnni, own
  // avx512-vnni".
  std::string Description() const;

 private:
  enum class Epilogue { kStore, kAdd, kSwiGlu, kGelu };
  struct Job;  // the arguments of one call

  void Run(const Job& job);
  template <typename Tile>
  static void RunTiles(const Job& job, int first_row, int block, int tile_rows, int32_t offset,
                       Tile tile);
  bool RunStrips(const Job& job, int block);
  void RunOwn(const Job& job, int first_row, int first_block, int blocks) const;
  int OneDnnRows(int rows) const;
  bool RunOneDnn(const Job& job);

  const Backend backend_;
  const Int8Kernel& kernel_;
  std::unique_ptr<OneDnnInt8> one_dnn_;  // null: oneDNN has no fast kernel
  // One thread's working memory: the wide pairs of a gate and an up block, a tile of oneDNN's exact
  // sums, and oneDNN's scratchpad.
  struct Scratch {
    std::vector<WidePair> pairs[2];
    AlignedBuffer<int32_t> sums;
    AlignedBuffer<uint8_t> one_dnn;
  };
  std::vector<Scratch> scratch_;
};

}  // namespace edgegate
