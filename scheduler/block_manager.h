// The KV pool as the scheduler sees it: numbered blocks with reference counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace edgegate {

// Owned by the scheduler; not thread-safe.
class BlockManager {
 public:
  explicit BlockManager(int num_blocks);

  int num_blocks() const { return static_cast<int>(references_.size()); }
  int num_free() const { return static_cast<int>(free_.size()); }

  // A free block with one reference. Precondition: num_free() > 0.
  int32_t Allocate();
  // One more sequence shares the block.
  void Share(int32_t block);
  // One reference less; at none the block is free again.
  void Release(int32_t block);

  int references(int32_t block) const { return references_[static_cast<size_t>(block)]; }

 private:
  std::vector<int> references_;
  std::vector<int32_t> free_;
};

}  // namespace edgegate
