// Rotary positions of the tokens of a sequence whose prompt has media (M-RoPE, Wang et al. 2024,
// arXiv:2409.12191).
#pragma once

#include <vector>

#include "engine/model/media.h"

namespace edgegate {

// Not thread-safe while items are added.
class MediaPositions {
 public:
  // Adds an item whose first row is token `first` of the prompt. Items come in order.
  void Add(int first, MediaLayout layout) { items_.push_back({first, std::move(layout)}); }

  // Returns the position of a token, which may be after the prompt.
  RopePosition At(int index) const;

 private:
  struct Item {
    int first;
    MediaLayout layout;
  };
  std::vector<Item> items_;  // by `first`
};

}  // namespace edgegate
