#include <algorithm>
#include <cmath>

#include "engine/image/resize.h"

namespace edgegate {
namespace {

double Bicubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

uint8_t Sum(const uint8_t* from, int64_t step, const ResizeWeights& w, int output) {
  int32_t sum = 1 << (ResizeWeights::kBits - 1);
  for (int i = 0; i < w.count[output]; ++i) {
    sum += from[step * (w.first[output] + i)] * w.weights[output * w.stride + i];
  }
  return static_cast<uint8_t>(std::clamp(sum >> ResizeWeights::kBits, 0, 255));
}

}  // namespace

ResizeWeights MakeResizeWeights(int size, int new_size) {
  const double scale = static_cast<double>(size) / new_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = 2.0 * filter_scale;
  const int most = static_cast<int>(std::ceil(support)) * 2 + 1;
  ResizeWeights w;
  w.stride = (most + 15) / 16 * 16;
  w.weights.resize(static_cast<size_t>(new_size) * w.stride);
  std::vector<double> exact(static_cast<size_t>(most));
  for (int i = 0; i < new_size; ++i) {
    const double center = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - support + 0.5));
    const int count = std::min(size, static_cast<int>(center + support + 0.5)) - first;
    double total = 0;
    for (int j = 0; j < count; ++j) {
      exact[j] = Bicubic((j + first - center + 0.5) * (1.0 / filter_scale));
      total += exact[j];
    }
    for (int j = 0; j < count; ++j) {
      const double value = total != 0.0 ? exact[j] / total : exact[j];
      const double fixed = value * (1 << ResizeWeights::kBits);
      w.weights[static_cast<size_t>(i) * w.stride + j] =
          static_cast<int32_t>(value < 0 ? fixed - 0.5 : fixed + 0.5);
    }
    w.first.push_back(first);
    w.count.push_back(count);
  }
  return w;
}

std::vector<uint8_t> ResizeBicubicReference(const uint8_t* rgb, int width, int height,
                                            int new_width, int new_height) {
  std::vector<uint8_t> rows(rgb, rgb + int64_t{width} * height * 3);
  if (new_width != width) {
    const ResizeWeights w = MakeResizeWeights(width, new_width);
    rows.resize(static_cast<size_t>(height) * new_width * 3);
    for (int y = 0; y < height; ++y) {
      for (int i = 0; i < new_width * 3; ++i) {
        rows[static_cast<size_t>(y) * new_width * 3 + i] =
            Sum(rgb + int64_t{y} * width * 3 + i % 3, 3, w, i / 3);
      }
    }
  }
  if (new_height == height) return rows;
  const ResizeWeights w = MakeResizeWeights(height, new_height);
  const int64_t row = int64_t{new_width} * 3;
  std::vector<uint8_t> out(static_cast<size_t>(row) * new_height);
  for (int y = 0; y < new_height; ++y) {
    for (int64_t i = 0; i < row; ++i) {
      out[static_cast<size_t>(y * row + i)] = Sum(rows.data() + i, row, w, y);
    }
  }
  return out;
}

}  // namespace edgegate
