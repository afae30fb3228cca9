// The tensors of a published model, by name, from all of its files: checked when they are bound,
// and read as float rows whatever type they are stored as. A family binds its own table of tensors
// (engine/family/).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/weights/input_file.h"
#include "engine/weights/tensor_info.h"

namespace edgegate {

// `rows` rows of `cols` elements each, from element `start` of a stored tensor. Linear layers are
// [rows = outputs][cols = inputs]. A norm or a bias is one row.
struct TensorSlice {
  struct Stored {
    size_t file = 0;  // index in the order of AddFile()
    TensorInfo info;
    bool bound = false;
  };
  const Stored* tensor = nullptr;  // null: the model has no such tensor
  int64_t start = 0, rows = 0, cols = 0;

  explicit operator bool() const { return tensor != nullptr; }
  TensorType type() const { return *tensor->info.type; }
};

// Files are added, then tensors are bound, then rows are read. Movable. Const methods may be called
// by any thread.
class TensorFiles {
 public:
  // kDataLoss when another file has a tensor of the same name.
  Status AddFile(InputFile file, const std::vector<TensorInfo>& tensors);

  bool Has(const std::string& name) const { return tensors_.contains(name); }
  // Rows of a tensor that has two dimensions; 0: it is missing, or has another number of them.
  int64_t RowsOf(const std::string& name) const;

  // Bind a tensor, or a part of one, to `slice`. The message names a tensor that is missing
  // (kDataLoss), has another shape (kDataLoss) or a type that is not supported (kUnimplemented).
  //
  // Rows [row, row + rows) of a matrix of `total_rows` x `cols`.
  Status BindRows(const std::string& name, int64_t row, int64_t rows, int64_t total_rows,
                  int64_t cols, TensorSlice* slice);
  // All rows of a matrix.
  Status BindMatrix(const std::string& name, int64_t rows, int64_t cols, TensorSlice* slice) {
    return BindRows(name, 0, rows, rows, cols, slice);
  }
  // Elements [start, start + size) of a vector of `total`; 0: of `size`.
  Status BindVector(const std::string& name, int64_t size, TensorSlice* slice, int64_t start = 0,
                    int64_t total = 0);
  // A tensor of any number of dimensions as rows of `cols` values each. Its first dimension is
  // `rows`, unless there is one row only. The kernels of a convolution are such rows.
  Status BindFlattened(const std::string& name, int64_t rows, int64_t cols, TensorSlice* slice);

  // kUnimplemented, by name, where a file has a tensor that was not bound, unless `ignored` says
  // that the model does not need it: leaving out any other would give wrong answers. `model` names
  // the model in the message.
  Status RefuseUnbound(const std::function<bool(const std::string& name)>& ignored,
                       std::string_view model) const;

  // Rows [row, row + count) of a slice as float, [count][cols], to `out`. kDataLoss when a value is
  // not finite, with the file and the tensor's name.
  Status ReadRows(const TensorSlice& slice, int row, int count, float* out) const;
  // The stored bytes of the same rows.
  Result<std::vector<uint8_t>> ReadStored(const TensorSlice& slice, int row, int count) const;

 private:
  Result<TensorSlice::Stored*> Find(const std::string& name);
  Status Read(const TensorSlice& slice, int row, int count, std::vector<uint8_t>* raw) const;

  std::vector<InputFile> files_;
  // Slices point to the values, which stay in place when the map is moved.
  std::map<std::string, TensorSlice::Stored> tensors_;
};

}  // namespace edgegate
