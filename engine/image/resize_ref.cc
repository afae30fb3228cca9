#include <algorithm>
#include <cmath>

#include "engine/image/resize.h"

namespace edgegate {
namespace {

// Pillow's rounding. It differs from std::lround for negative values, which are clamped afterwards.
int Rounded(double x) {
  return static_cast<int>(x + 0.5);  // NOLINT(bugprone-incorrect-roundings)
}

double Bicubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

// Resizes [lines][size][step] to [lines][new_size][step]. Along the rows, a step is a pixel; along
// the columns, it is a row.
std::vector<uint8_t> Pass(const std::vector<uint8_t>& in, int size, int new_size, int64_t step) {
  if (size == new_size) return in;
  const ResizeWeights w = MakeResizeWeights(size, new_size);
  const int64_t lines = static_cast<int64_t>(in.size()) / (size * step);
  std::vector<uint8_t> out(static_cast<size_t>(lines * new_size * step));
  for (int64_t i = 0; i < static_cast<int64_t>(out.size()); ++i) {
    const int64_t line = i / (new_size * step), output = i / step % new_size;
    const uint8_t* from = in.data() + (line * size + w.first[output]) * step + i % step;
    int32_t sum = 1 << (ResizeWeights::kBits - 1);
    for (int n = 0; n < w.count[output]; ++n) {
      sum += from[n * step] * w.weights[output * w.stride + n];
    }
    out[i] = static_cast<uint8_t>(std::clamp(sum >> ResizeWeights::kBits, 0, 255));
  }
  return out;
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
    const int first = std::max(0, Rounded(center - support));
    const int count = std::min(size, Rounded(center + support)) - first;
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
  std::vector<uint8_t> in(rgb, rgb + int64_t{width} * height * 3);
  if (ColumnsFirst(width, height, new_width, new_height)) {
    return Pass(Pass(in, height, new_height, int64_t{width} * 3), width, new_width, 3);
  }
  return Pass(Pass(in, width, new_width, 3), height, new_height, int64_t{new_width} * 3);
}

}  // namespace edgegate
