#include "engine/image/prepare_image.h"

#include <algorithm>
#include <cmath>

#include "engine/image/resize.h"

namespace edgegate {

// get_image_size_fit_to_canvas of transformers, in the same floating-point operations, because
// their rounding decides at whole numbers.
std::pair<int, int> FitToCanvas(int width, int height, int size) {
  const double scale_w = static_cast<double>(size) / width;
  const double scale_h = static_cast<double>(size) / height;
  if (scale_w < scale_h) {
    return {size, std::clamp(static_cast<int>(std::floor(height * scale_w)), 1, size)};
  }
  return {std::clamp(static_cast<int>(std::floor(width * scale_h)), 1, size), size};
}

std::vector<uint8_t> PrepareImage(const uint8_t* rgb, int width, int height, int size) {
  const auto [new_width, new_height] = FitToCanvas(width, height, size);
  const std::vector<uint8_t> resized = ResizeBicubic(rgb, width, height, new_width, new_height);
  std::vector<uint8_t> canvas(static_cast<size_t>(size) * size * 3);
  for (int y = 0; y < new_height; ++y) {
    std::copy_n(resized.begin() + int64_t{y} * new_width * 3, new_width * 3,
                canvas.begin() + int64_t{y} * size * 3);
  }
  return canvas;
}

}  // namespace edgegate
