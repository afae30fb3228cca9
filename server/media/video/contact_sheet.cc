#include "server/media/video/contact_sheet.h"

#include <algorithm>

#include "engine/image/resize.h"

namespace edgegate {
namespace {

constexpr int kTilesAlongLongSide = 3;
constexpr int kGapParts = 112;  // the gap between two frames is this part of the sheet

// Size of a frame of this shape in a cell.
struct TileSize {
  int width = 1;
  int height = 1;
};
TileSize FitToCell(const Image& frame, int cell_width, int cell_height) {
  const int by_height = static_cast<int>(int64_t{cell_height} * frame.width / frame.height);
  if (by_height <= cell_width) return {std::max(by_height, 1), std::max(cell_height, 1)};
  const int height = static_cast<int>(int64_t{cell_width} * frame.height / frame.width);
  return {std::max(cell_width, 1), std::max(height, 1)};
}

// Copies the part of the frame that is within the canvas.
void Place(const Image& frame, int left, int top, int size, std::vector<uint8_t>* canvas) {
  const int width = std::min(frame.width, size - left);
  const int height = std::min(frame.height, size - top);
  if (width <= 0) return;
  for (int y = 0; y < height; ++y) {
    std::copy_n(frame.rgb.begin() + int64_t{y} * frame.width * 3, width * 3,
                canvas->begin() + (int64_t{top + y} * size + left) * 3);
  }
}

std::vector<uint8_t> BlackSquare(int size) {
  return std::vector<uint8_t>(static_cast<size_t>(size) * static_cast<size_t>(size) * 3);
}

}  // namespace

int SheetCapacity(int width, int height) {
  const int64_t longer = std::max(width, height), shorter = std::min(width, height);
  const int64_t lines = kTilesAlongLongSide * longer / std::max<int64_t>(shorter, 1);
  return kTilesAlongLongSide * static_cast<int>(std::min<int64_t>(lines, 1 << 10));
}

ContactSheet MakeContactSheet(const std::vector<Image>& frames, int size) {
  const int count = static_cast<int>(frames.size());
  const int gap = std::max(1, size / kGapParts);
  ContactSheet sheet{1, BlackSquare(size)};
  TileSize cell;
  for (int columns = 1; columns <= count; ++columns) {
    const int rows = (count + columns - 1) / columns;
    const TileSize tile =
        FitToCell(frames[0], std::max(1, size / columns - gap), std::max(1, size / rows - gap));
    if (tile.width <= cell.width && columns > 1) continue;
    cell = tile;
    sheet.columns = columns;
  }
  for (int i = 0; i < count; ++i) {
    const Image& frame = frames[static_cast<size_t>(i)];
    const TileSize tile = FitToCell(frame, cell.width, cell.height);
    const Image small{
        tile.width, tile.height,
        ResizeBicubic(frame.rgb.data(), frame.width, frame.height, tile.width, tile.height)};
    Place(small, i % sheet.columns * (cell.width + gap), i / sheet.columns * (cell.height + gap),
          size, &sheet.pixels);
  }
  return sheet;
}

std::vector<uint8_t> PadToSquare(const Image& frame, int size) {
  std::vector<uint8_t> canvas = BlackSquare(size);
  Place(frame, 0, 0, size, &canvas);
  return canvas;
}

}  // namespace edgegate
