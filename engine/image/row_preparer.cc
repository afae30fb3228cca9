#include "engine/image/row_preparer.h"

#include <algorithm>
#include <utility>

#include "engine/image/prepare_image.h"

namespace edgegate {
namespace {

constexpr int kPlanePadding = 16;  // vectors read past the last pixel

// Returns the weights for an input in reverse order. The outputs keep their order.
ResizeWeights Mirrored(ResizeWeights w, int size) {
  for (size_t i = 0; i < w.first.size(); ++i) {
    w.first[i] = size - w.first[i] - w.count[i];
    const auto weights = w.weights.begin() + static_cast<int64_t>(i) * w.stride;
    std::reverse(weights, weights + w.count[i]);
  }
  return w;
}

ResizeWeights WeightsOf(int size, int new_size, bool mirrored) {
  ResizeWeights w = MakeResizeWeights(size, new_size);
  return mirrored ? Mirrored(std::move(w), size) : w;
}

}  // namespace

RowPreparer::Columns::Columns(ResizeWeights weights, bool mirrored, int64_t length)
    : weights_(std::move(weights)),
      mirrored_(mirrored),
      length_(length),
      outputs_(static_cast<int>(weights_.first.size())) {
  for (int last = 0, first = 0; last < outputs_; ++last) {
    const int begins = weights_.first[OutputAt(last)];
    while (weights_.first[OutputAt(first)] + weights_.count[OutputAt(first)] <= begins) ++first;
    slots_ = std::max(slots_, last - first + 1);
  }
  sums_.resize(static_cast<size_t>(slots_ * length_));
}

template <typename Use>
void RowPreparer::Columns::Add(const uint8_t* row, Use finish) {
  while (end_ < outputs_ && weights_.first[OutputAt(end_)] <= row_) {
    std::fill_n(SumsAt(end_), length_, ResizeWeights::kHalf);
    ++end_;
  }
  for (int step = begin_; step < end_; ++step) {
    const size_t output = OutputAt(step);
    const auto tap = static_cast<size_t>(row_ - weights_.first[output]);
    const int32_t weight = weights_.weights[output * static_cast<size_t>(weights_.stride) + tap];
    AddWeightedRow(row, length_, weight, SumsAt(step));
  }
  ++row_;
  for (; begin_ < end_; ++begin_) {
    const size_t output = OutputAt(begin_);
    if (weights_.first[output] + weights_.count[output] > row_) break;
    finish(output, SumsAt(begin_));
  }
}

RowPreparer::RowPreparer(int width, int height, int orientation, int size)
    : width_(width), size_(size), transposed_(orientation >= 5 && orientation <= 8) {
  const int upright_width = transposed_ ? height : width;
  const int upright_height = transposed_ ? width : height;
  const auto [new_width, new_height] = FitToCanvas(upright_width, upright_height, size);
  // In a transposed image, stored rows are columns of the upright image.
  x_first_ = ColumnsFirst(upright_width, upright_height, new_width, new_height) == transposed_;
  const int outputs_x = transposed_ ? new_height : new_width;
  const int outputs_y = transposed_ ? new_width : new_height;
  // As in ApplyOrientation (EXIF 2.3, table 6).
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  x_weights_ = WeightsOf(width, outputs_x, flip_x);
  columns_.emplace(WeightsOf(height, outputs_y, flip_y), flip_y,
                   int64_t{3} * (x_first_ ? outputs_x : width));
  planes_.resize(static_cast<size_t>(width + kPlanePadding) * 3);
  resized_.resize(static_cast<size_t>(outputs_x) * 3);
  finished_.resize(static_cast<size_t>(x_first_ ? outputs_x : width) * 3);
  canvas_.resize(static_cast<size_t>(size) * static_cast<size_t>(size) * 3);
}

void RowPreparer::ResizeAlongX(const uint8_t* rgb) {
  const int64_t stride = width_ + kPlanePadding;
  SplitChannels(rgb, width_, stride, planes_.data());
  ResizeRow(planes_.data(), stride, x_weights_, resized_.data());
}

void RowPreparer::Place(size_t index, const uint8_t* rgb) {
  const auto side = static_cast<size_t>(size_);
  if (!transposed_) {
    std::copy_n(rgb, resized_.size(), canvas_.begin() + static_cast<int64_t>(index * side * 3));
    return;
  }
  for (size_t i = 0; i * 3 < resized_.size(); ++i) {
    for (size_t c = 0; c < 3; ++c) canvas_[(i * side + index) * 3 + c] = rgb[i * 3 + c];
  }
}

void RowPreparer::AddRow(const uint8_t* rgb) {
  const auto length = static_cast<int64_t>(finished_.size());
  if (x_first_) {
    ResizeAlongX(rgb);
    columns_->Add(resized_.data(), [&](size_t index, const int32_t* sums) {
      FinishSums(sums, length, finished_.data());
      Place(index, finished_.data());
    });
    return;
  }
  columns_->Add(rgb, [&](size_t index, const int32_t* sums) {
    FinishSums(sums, length, finished_.data());
    ResizeAlongX(finished_.data());
    Place(index, resized_.data());
  });
}

}  // namespace edgegate
