// INT8 linear layers: quantized activation rows times packed weights, with what comes after fused
// in. W8A8: activations u8 per token, asymmetric, dynamic; weights s8 per output channel,
// symmetric; products accumulated in s32 exactly, so that the result of a row is the same bits
// whatever the batch, the backend or the number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/int8_kernel.h"
#include "engine/ops/int8_weights.h"

namespace edgegate {

class OneDnnInt8;

// Rows behind the last that a kernel may read, whose results nobody does.
inline constexpr int kInt8SpareRows = 15;

// Rows of float quantized to u8: x[i] is about scale * (u8[i] - zero_point). Reused from layer to
// layer; owned by one thread.
class QuantizedRows {
 public:
  // Room for `max_rows` rows of up to `max_columns`.
  QuantizedRows(int max_rows, int max_columns, bool with_s16);

  // Quantizes [rows][columns] float (row stride `stride`), in parallel over the rows. Each row's
  // range is that of its values and zero.
  void Quantize(const float* x, int64_t stride, int rows, int columns);

  // The same after RMSNorm: x / sqrt(mean(x^2) + eps) * weight.
  void NormalizeAndQuantize(const float* x, int64_t stride, int rows, int columns,
                            const float* weight, float eps);

  // The same after LayerNorm (LayerNormRow).
  void LayerNormAndQuantize(const float* x, int64_t stride, int rows, int columns,
                            const float* weight, const float* bias, float eps);

  // What `main` leaves of the same rows: x - scale * (u8 - zero point).
  void QuantizeRest(const float* x, int64_t stride, int rows, int columns,
                    const QuantizedRows& main);

  // [rows][columns] float, as the last call with a norm made them.
  const float* normalized() const { return normalized_.data(); }

  int rows() const { return rows_; }
  int columns_padded() const { return static_cast<int>(view_.stride); }
  const Int8Rows& view() const { return view_; }
  const float* scale() const { return scale_.data(); }
  const int32_t* zero_point() const { return zero_point_.data(); }

 private:
  void Begin(int rows, int columns);
  void QuantizeOne(int row, const float* x, int columns);

  AlignedBuffer<uint8_t> u8_;
  AlignedBuffer<int16_t> s16_;
  AlignedBuffer<float> normalized_;  // or the rest
  AlignedBuffer<float> scale_;
  AlignedBuffer<int32_t> zero_point_;
  Int8Rows view_;
  int rows_ = 0;
};

// Computes linear layers with the threads of ThreadPool::Current(). Owned by one thread.
class Int8MatMul {
 public:
  // Which integer matmul to use: oneDNN's where it has a VNNI or AMX kernel and the batch is large
  // enough to gain, ours elsewhere; or always one of them (for tests and measurements).
  enum class Backend { kAuto, kOwn, kOneDnn };

  explicit Int8MatMul(Backend backend = Backend::kAuto);
  ~Int8MatMul();

  // out[r][n] = (row r of x) . w[n] + bias[n], for n < w.n; row stride `stride` floats.
  void Store(const QuantizedRows& x, const Int8Linear& w, float* out, int64_t stride);

  // out[r][n] += the same.
  void Add(const QuantizedRows& x, const Int8Linear& w, float* out, int64_t stride);

  // w's 64-column blocks alternate gate and up (model_weights.h): out[r][i] = silu(gate) * up for
  // i < w.n_padded() / 2.
  void SwiGlu(const QuantizedRows& x, const Int8Linear& w, float* out, int64_t stride);

  // out[r][n] = gelu(what Store() would give), the tanh form.
  void Gelu(const QuantizedRows& x, const Int8Linear& w, float* out, int64_t stride);

  // Whether the kernels read activations widened to s16 (QuantizedRows' with_s16).
  bool wants_s16() const { return kernel_.wants_s16; }

  // What computes, for people: "oneDNN brg:avx512_core_vnni, own avx512-vnni".
  std::string Description() const;

 private:
  enum class Epilogue { kStore, kAdd, kSwiGlu, kGelu };
  struct Job;  // one call's arguments

  void Run(const Job& job);
  void RunOwn(const Job& job, int first_row, int first_block, int blocks) const;
  int OneDnnRows(int rows) const;
  bool RunOneDnn(const Job& job);

  const Backend backend_;
  const Int8Kernel kernel_;
  std::unique_ptr<OneDnnInt8> one_dnn_;  // null where oneDNN has no fast kernel
  // Each thread has a tile of oneDNN's exact sums, and what oneDNN itself needs.
  struct Scratch {
    AlignedBuffer<int32_t> sums;
    AlignedBuffer<uint8_t> one_dnn;
  };
  std::vector<Scratch> scratch_;
};

}  // namespace edgegate
