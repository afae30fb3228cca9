#include "scheduler/media_positions.h"

namespace edgegate {

RopePosition MediaPositions::At(int index) const {
  int32_t shift = 0;  // from a text token's index to its position
  for (const Item& item : items_) {
    if (index < item.first) break;
    const MediaLayout& layout = item.layout;
    const int row = index - item.first;
    if (layout.positions.empty()) continue;  // its rows are like text
    if (row < layout.rows) {
      RopePosition position = layout.positions[static_cast<size_t>(row)];
      for (int32_t& axis : position) axis += item.first + shift;
      return position;
    }
    shift += layout.advance - layout.rows;
  }
  const int32_t position = index + shift;
  return {position, position, position};
}

}  // namespace edgegate
