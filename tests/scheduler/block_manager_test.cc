// Random use of the block manager, compared with a model that keeps a list and searches it.

#include "scheduler/block_manager.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace edgegate {
namespace {

PrefixKey Key(int i) {
  PrefixKey key{};
  key[0] = static_cast<uint8_t>(i);
  return key;
}

struct ModelBlock {
  int references = 0;
  int key = -1;
  int unused_since = 0;
};

struct Model {
  explicit Model(int count) : blocks(static_cast<size_t>(count)) {}

  int Free() const {
    return static_cast<int>(std::count_if(blocks.begin(), blocks.end(),
                                          [](const auto& b) { return b.references == 0; }));
  }
  int Find(int key) const {
    for (size_t i = 0; i < blocks.size(); ++i) {
      if (blocks[i].key == key) return static_cast<int>(i);
    }
    return -1;
  }
  // Takes the block. False if the manager should have taken another one.
  bool Take(int block) {
    ModelBlock& taken = blocks[static_cast<size_t>(block)];
    bool valid = taken.references == 0;
    for (const ModelBlock& other : blocks) {
      if (other.references > 0 || taken.key < 0) continue;
      valid = valid && other.key >= 0 && other.unused_since >= taken.unused_since;
    }
    taken = {1, -1, 0};
    return valid;
  }

  std::vector<ModelBlock> blocks;
};

TEST_CASE("random operations equal those of a trivial model") {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const int count = 1 + static_cast<int>(random() % 8);
    BlockManager manager(count);
    Model model(count);
    std::vector<int32_t> held;  // one entry for each reference
    for (int turn = 1; turn < 400; ++turn) {
      REQUIRE(manager.num_free() == model.Free());
      const int key = static_cast<int>(random() % 12);
      const auto found = manager.Find(Key(key));
      REQUIRE(found.value_or(-1) == model.Find(key));
      const auto any = held.empty() ? 0 : random() % held.size();
      switch (random() % 4) {
        case 0:
          if (model.Free() == 0) break;
          held.push_back(manager.Allocate());
          REQUIRE(model.Take(held.back()));
          break;
        case 1:
          if (!found) break;
          manager.Share(*found);
          ++model.blocks[static_cast<size_t>(*found)].references;
          held.push_back(*found);
          break;
        case 2: {
          if (held.empty()) break;
          manager.Release(held[any]);
          ModelBlock& block = model.blocks[static_cast<size_t>(held[any])];
          if (--block.references == 0) block.unused_since = turn;
          held.erase(held.begin() + static_cast<int64_t>(any));
          break;
        }
        default: {
          if (held.empty()) break;
          manager.Register(held[any], Key(key));
          ModelBlock& block = model.blocks[static_cast<size_t>(held[any])];
          if (block.key < 0 && model.Find(key) < 0) block.key = key;
        }
      }
    }
  }
}

}  // namespace
}  // namespace edgegate
