// The KV pool as the scheduler sees it: numbered blocks with reference counts, and the prefix cache
// (Kwon et al. 2023, section 4.3). A cached block keeps its content after its last sequence has
// ended, until the block is needed again. A later sequence with the same prefix shares it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <vector>

namespace edgegate {

// SHA-256 of the tokens up to a block's end and of the images among them.
using PrefixKey = std::array<uint8_t, 32>;

// Number of blocks that hold `tokens` tokens.
inline int BlocksFor(int tokens, int block_size) { return (tokens + block_size - 1) / block_size; }

// Not thread-safe. Each pool has one owner.
class BlockManager {
 public:
  explicit BlockManager(int num_blocks);

  int num_blocks() const { return static_cast<int>(references_.size()); }
  // Number of blocks with a reference count of zero, including cached blocks.
  int num_free() const { return static_cast<int>(free_.size() + evictable_.size()); }

  // Returns a free block, with one reference. Blocks that are not cached are taken first; then the
  // cached block that has been unreferenced longest, which leaves the cache. Precondition:
  // num_free() > 0.
  int32_t Allocate();
  // Adds a reference. Precondition: the block has references or is cached.
  void Share(int32_t block);
  // Drops a reference. At zero the block is free again.
  void Release(int32_t block);

  // Registers a full, referenced block in the prefix cache. No effect if the block or the key is
  // already cached.
  void Register(int32_t block, const PrefixKey& key);
  // Returns the block that is cached under the key, if any.
  std::optional<int32_t> Find(const PrefixKey& key) const;

  int references(int32_t block) const { return references_[static_cast<size_t>(block)]; }

 private:
  std::vector<int> references_;
  std::vector<int32_t> free_;
  std::map<PrefixKey, int32_t> cache_;
  std::vector<std::map<PrefixKey, int32_t>::iterator> entries_;  // per block; end(): not cached
  std::list<int32_t> evictable_;  // cached blocks without references, oldest first
  std::vector<std::list<int32_t>::iterator> evictable_places_;  // per block; end(): not in the list
};

}  // namespace edgegate
