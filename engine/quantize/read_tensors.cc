#include "engine/quantize/read_tensors.h"

#include <algorithm>

#include "engine/quantize/parallel_passes.h"

namespace edgegate {
namespace {

constexpr int64_t kElements = int64_t{1} << 18;  // elements that one task reads

struct Task {
  const TensorSlice* slice;
  int row, count;
  float* out;
};

}  // namespace

Status ReadTensors(const TensorFiles& files, std::span<const TensorToRead> tensors) {
  std::vector<Task> tasks;
  for (const TensorToRead& t : tensors) {
    const TensorSlice& slice = t.slice;
    t.out->resize(static_cast<size_t>(slice.rows * slice.cols));
    if (!slice) continue;
    const int64_t step = std::max<int64_t>(1, kElements / slice.cols);
    for (int64_t row = 0; row < slice.rows; row += step) {
      tasks.push_back({&slice, static_cast<int>(row),
                       static_cast<int>(std::min(step, slice.rows - row)),
                       t.out->data() + row * slice.cols});
    }
  }
  return ParallelForStatus(static_cast<int>(tasks.size()), [&](int i) {
    const Task& task = tasks[i];
    return files.ReadRows(*task.slice, task.row, task.count, task.out);
  });
}

Status ReadTensors(const TensorFiles& files, std::initializer_list<TensorToRead> tensors) {
  return ReadTensors(files, std::span(tensors.begin(), tensors.size()));
}

}  // namespace edgegate
