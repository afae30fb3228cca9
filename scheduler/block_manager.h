// The KV pool as the scheduler sees it: numbered blocks with reference counts. Blocks whose content
// is known by a key keep it after their last sequence has gone, until their room is needed: a later
// sequence that begins alike finds them (prefix caching; Kwon et al. 2023, section 4.3).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <vector>

namespace edgegate {

// Names all that the tokens up to a block's end, and the pictures among them, are: a SHA-256.
using PrefixKey = std::array<uint8_t, 32>;

inline int BlocksFor(int tokens, int block_size) { return (tokens + block_size - 1) / block_size; }

// Not thread-safe. Each pool has one owner.
class BlockManager {
 public:
  explicit BlockManager(int num_blocks);

  int num_blocks() const { return static_cast<int>(references_.size()); }
  // Those that no sequence has, known or not.
  int num_free() const { return static_cast<int>(free_.size() + idle_.size()); }

  // A free block with one reference: an unknown one, else the one unused for longest, which is then
  // known no more. Precondition: num_free() > 0.
  int32_t Allocate();
  // One more sequence shares the block, which has sequences or is known.
  void Share(int32_t block);
  // One reference less; at none the block is free again.
  void Release(int32_t block);

  // Makes the block, which a sequence has and has filled, known. Where another one is known by that
  // key already, nothing happens.
  void Know(int32_t block, const PrefixKey& key);
  // The block known by the key.
  std::optional<int32_t> Find(const PrefixKey& key) const;

  int references(int32_t block) const { return references_[static_cast<size_t>(block)]; }

 private:
  std::vector<int> references_;
  std::vector<int32_t> free_;
  std::map<PrefixKey, int32_t> known_;
  std::vector<std::map<PrefixKey, int32_t>::iterator> names_;  // of each block; end(): none
  std::list<int32_t> idle_;                                    // known, unused; oldest first
  std::vector<std::list<int32_t>::iterator> places_;           // in idle_; end(): not there
};

}  // namespace edgegate
