#include "engine/weights/tensor_files.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/weights/dequantize.h"

namespace edgegate {
namespace {

constexpr uint64_t kReadBytes = uint64_t{1} << 18;  // fits a core's cache

bool AllFinite(const float* values, int64_t count) {
  // Has no branch, so that it is vectorized. An exponent of ones is an infinity or NaN.
  constexpr uint32_t kExponent = 0x7f800000;
  uint32_t bad = 0;
  for (int64_t i = 0; i < count; ++i) {
    bad |= (std::bit_cast<uint32_t>(values[i]) & kExponent) == kExponent ? 1 : 0;
  }
  return bad == 0;
}

uint64_t RowBytes(const TensorSlice& slice) {
  const BlockShape block = BlockOf(slice.type());
  return static_cast<uint64_t>(slice.cols / block.elements * block.bytes);
}

}  // namespace

Status TensorFiles::AddFile(InputFile file, const std::vector<TensorInfo>& tensors) {
  for (const TensorInfo& info : tensors) {
    if (!tensors_.emplace(info.name, TensorSlice::Stored{files_.size(), info}).second) {
      return DataLoss("{}: tensor {} is in another file too", file.path(), info.name);
    }
  }
  files_.push_back(std::move(file));
  return {};
}

int64_t TensorFiles::RowsOf(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end() || found->second.info.shape.size() != 2) return 0;
  return found->second.info.shape[0];
}

Result<TensorSlice::Stored*> TensorFiles::Find(const std::string& name) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return DataLoss("tensor {} is missing", name);
  TensorSlice::Stored& stored = found->second;
  if (!stored.info.type) {
    return Unimplemented(
        "{}: tensor {} is {}: not supported; these are: F32, F16, BF16 and GGUF's Q4_0, Q4_1, "
        "Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K",
        files_[stored.file].path(), name, stored.info.type_name);
  }
  return &stored;
}

Status TensorFiles::BindRows(const std::string& name, int64_t row, int64_t rows, int64_t total_rows,
                             int64_t cols, TensorSlice* slice) {
  EG_ASSIGN_OR_RETURN(TensorSlice::Stored* const stored, Find(name));
  const auto& shape = stored->info.shape;
  if (shape.size() != 2 || shape[0] != total_rows || shape[1] != cols) {
    return DataLoss("{}: tensor {} has shape {}: must be [{}, {}]", files_[stored->file].path(),
                    name, ShapeText(shape), total_rows, cols);
  }
  stored->bound = true;
  *slice = {stored, row * cols, rows, cols};
  return {};
}

Status TensorFiles::BindVector(const std::string& name, int64_t size, TensorSlice* slice,
                               int64_t start, int64_t total) {
  if (total == 0) total = size;
  EG_ASSIGN_OR_RETURN(TensorSlice::Stored* const stored, Find(name));
  const auto& shape = stored->info.shape;
  if (shape != std::vector<int64_t>{total} && shape != std::vector<int64_t>{1, total}) {
    return DataLoss("{}: tensor {} has shape {}: must be [{}]", files_[stored->file].path(), name,
                    ShapeText(shape), total);
  }
  const int64_t block = BlockOf(*stored->info.type).elements;
  if (start % block != 0 || size % block != 0) {
    return Unimplemented("{}: tensor {} is {}: its parts are no whole blocks",
                         files_[stored->file].path(), name, stored->info.type_name);
  }
  stored->bound = true;
  *slice = {stored, start, 1, size};
  return {};
}

Status TensorFiles::BindFlattened(const std::string& name, int64_t rows, int64_t cols,
                                  TensorSlice* slice) {
  EG_ASSIGN_OR_RETURN(TensorSlice::Stored* const stored, Find(name));
  const auto& shape = stored->info.shape;
  int64_t elements = 1;
  for (const int64_t side : shape) elements *= side;
  const bool rows_fit = rows == 1 || (!shape.empty() && shape[0] == rows);
  if (!rows_fit || elements != rows * cols) {
    return DataLoss("{}: tensor {} has shape {}: must be {} rows of {} values",
                    files_[stored->file].path(), name, ShapeText(shape), rows, cols);
  }
  if (cols % BlockOf(*stored->info.type).elements != 0) {
    return Unimplemented("{}: tensor {} is {}: its rows are no whole blocks",
                         files_[stored->file].path(), name, stored->info.type_name);
  }
  stored->bound = true;
  *slice = {stored, 0, rows, cols};
  return {};
}

Status TensorFiles::RefuseUnbound(const std::function<bool(const std::string& name)>& ignored,
                                  std::string_view model) const {
  for (const auto& [name, stored] : tensors_) {
    if (stored.bound || ignored(name)) continue;
    return Unimplemented("{}: tensor {} has no place in a {} of this config",
                         files_[stored.file].path(), name, model);
  }
  return {};
}

Status TensorFiles::Read(const TensorSlice& slice, int row, int count,
                         std::vector<uint8_t>* raw) const {
  if (!slice) return Internal("the model has no such tensor");
  if (row < 0 || count < 0 || row + int64_t{count} > slice.rows) {
    return Internal("rows {} + {} of {}", row, count, slice.rows);
  }
  const TensorInfo& info = slice.tensor->info;
  const BlockShape block = BlockOf(slice.type());
  const uint64_t start =
      info.offset + static_cast<uint64_t>(slice.start / block.elements * block.bytes);
  raw->resize(RowBytes(slice) * static_cast<uint64_t>(count));
  return files_[slice.tensor->file].ReadAt(start + RowBytes(slice) * static_cast<uint64_t>(row),
                                           raw->size(), raw->data());
}

Status TensorFiles::ReadRows(const TensorSlice& slice, int row, int count, float* out) const {
  if (!slice) return Internal("the model has no such tensor");
  // Reads some rows at a time, because the caller may read a whole embedding table.
  const int step =
      static_cast<int>(std::max<uint64_t>(1, kReadBytes / std::max<uint64_t>(1, RowBytes(slice))));
  std::vector<uint8_t> raw;
  for (int done = 0; done < count; done += step) {
    const int rows = std::min(step, count - done);
    EG_RETURN_IF_ERROR(Read(slice, row + done, rows, &raw));
    float* values = out + slice.cols * done;
    Dequantize(slice.type(), raw.data(), slice.cols * rows, values);
    if (AllFinite(values, slice.cols * rows)) continue;
    int64_t i = 0;
    while (std::isfinite(values[i])) ++i;
    return DataLoss("{}: tensor {} has a value that is not finite at element {}",
                    files_[slice.tensor->file].path(), slice.tensor->info.name,
                    slice.start + slice.cols * (row + done) + i);
  }
  return {};
}

Result<std::vector<uint8_t>> TensorFiles::ReadStored(const TensorSlice& slice, int row,
                                                     int count) const {
  std::vector<uint8_t> raw;
  EG_RETURN_IF_ERROR(Read(slice, row, count, &raw));
  return raw;
}

}  // namespace edgegate
