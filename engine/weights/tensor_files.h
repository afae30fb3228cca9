// The tensors of a published model, by name, from all of its files. They are checked when they are
// bound, and read as rows of float, independent of the type that they are stored as. A family binds
// its own table of tensors (engine/family/).
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

// `rows` rows of `cols` elements each, from element `start` of a stored tensor. A view of
// TensorFiles, which must outlive it. Linear layers are [rows = outputs][cols = inputs]. A norm or
// a bias is one row.
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

// The files and tensors of one model. Call AddFile() first, then bind tensors, then read rows.
// Movable. Const methods may be called by any thread.
class TensorFiles {
 public:
  // Adds a file and its tensors. kDataLoss: another file has a tensor of the same name.
  Status AddFile(InputFile file, const std::vector<TensorInfo>& tensors);

  bool Has(const std::string& name) const { return tensors_.contains(name); }
  // Returns the number of rows of a tensor that has two dimensions. 0: it is missing, or it does
  // not have two dimensions.
  int64_t RowsOf(const std::string& name) const;

  // The functions below bind a tensor, or a part of one, to `slice`. kDataLoss: the tensor is
  // missing or has another shape. kUnimplemented: its type is not supported, or the part does not
  // consist of whole blocks of its type. The message names the tensor.
  //
  // Binds rows [row, row + rows) of a matrix of `total_rows` x `cols`.
  Status BindRows(const std::string& name, int64_t row, int64_t rows, int64_t total_rows,
                  int64_t cols, TensorSlice* slice);
  // Binds all rows of a matrix.
  Status BindMatrix(const std::string& name, int64_t rows, int64_t cols, TensorSlice* slice) {
    return BindRows(name, 0, rows, rows, cols, slice);
  }
  // Binds elements [start, start + size) of a vector of `total` elements. If `total` is 0, the
  // vector has `size` elements.
  Status BindVector(const std::string& name, int64_t size, TensorSlice* slice, int64_t start = 0,
                    int64_t total = 0);
  // Binds a tensor of any number of dimensions as `rows` rows of `cols` values each. Its first
  // dimension must be `rows`, unless `rows` is 1. The kernels of a convolution are such rows.
  Status BindFlattened(const std::string& name, int64_t rows, int64_t cols, TensorSlice* slice);

  // kUnimplemented: a tensor was not bound, and `ignored` is false for it. The message names the
  // tensor and `model`. Without such a tensor the answers could be wrong.
  Status RefuseUnbound(const std::function<bool(const std::string& name)>& ignored,
                       std::string_view model) const;

  // Reads rows [row, row + count) of a slice to `out`, float [count][cols]. kDataLoss: a value is
  // not finite, or the file has become shorter. The message names the file and the tensor.
  Status ReadRows(const TensorSlice& slice, int row, int count, float* out) const;
  // Reads the stored bytes of the same rows.
  Result<std::vector<uint8_t>> ReadStored(const TensorSlice& slice, int row, int count) const;

 private:
  Result<TensorSlice::Stored*> Find(const std::string& name);
  Status Read(const TensorSlice& slice, int row, int count, std::vector<uint8_t>* raw) const;

  std::vector<InputFile> files_;
  // Slices point to the values. The values keep their addresses if the map is moved.
  std::map<std::string, TensorSlice::Stored> tensors_;
};

}  // namespace edgegate
