#include "engine/family/read_parts.h"

#include <algorithm>

#include "engine/quantize/parallel_passes.h"

namespace edgegate {
namespace {

constexpr int64_t kElements = int64_t{1} << 18;  // of a task

struct Task {
  WeightPart part;
  int row, count;
  float* out;
};

}  // namespace

Status ReadParts(const ModelSource& source, int layer, std::span<const PartToRead> parts) {
  std::vector<Task> tasks;
  for (const PartToRead& p : parts) {
    p.out->resize(static_cast<size_t>(p.rows * p.columns));
    const int64_t step = std::max<int64_t>(1, kElements / p.columns);
    for (int64_t row = 0; row < p.rows; row += step) {
      tasks.push_back({p.part, static_cast<int>(row),
                       static_cast<int>(std::min(step, p.rows - row)),
                       p.out->data() + row * p.columns});
    }
  }
  return ParallelForStatus(static_cast<int>(tasks.size()), [&](int i) {
    return source.ReadRows(tasks[i].part, layer, tasks[i].row, tasks[i].count, tasks[i].out);
  });
}

Status ReadParts(const ModelSource& source, int layer, std::initializer_list<PartToRead> parts) {
  return ReadParts(source, layer, std::span(parts.begin(), parts.size()));
}

}  // namespace edgegate
