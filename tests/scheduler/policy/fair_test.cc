// The decisions of the policy "fair" on random states, against their definitions.

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <tuple>

#include "scheduler/queue_policy.h"

namespace edgegate {
namespace {

// A random state of a scheduler: clients, running sequences with blocks, waiting sequences.
struct World {
  explicit World(uint32_t seed) : random(seed), blocks(Pick(8, 60)), max_num_seqs(Pick(1, 8)) {
    const int num_clients = Pick(1, 5);
    for (int c = 0; c < num_clients; ++c) AddClient(std::to_string(c));
    // Ids in random order over the clients.
    std::shuffle(all.begin(), all.end(), random);
    for (size_t i = 0; i < all.size(); ++i) all[i]->id = i;
    for (auto& s : all) {
      if (s->state == Sequence::State::kRunning) {
        running.push_back(s.get());
      } else {
        s->account->waiting.push_back(s.get());
      }
    }
  }

  int Pick(int low, int high) {
    return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1));
  }

  void AddClient(const std::string& name) {
    ClientAccount& account = clients[name];
    account.name = name;
    account.served = static_cast<uint64_t>(Pick(0, 6));  // ties are frequent
    account.passed_over = Pick(0, 1) * Pick(0, 60);
    int to_run = Pick(0, 3);
    for (int i = Pick(std::max(1, to_run), 5); i > 0; --i) {
      auto s = std::make_unique<Sequence>();
      s->client = name;
      s->account = &account;
      if (to_run > 0 && static_cast<int>(NumRunning()) < max_num_seqs) {
        --to_run;
        ++account.running;
        s->state = Sequence::State::kRunning;
        s->paused = Pick(0, 5) == 0;
        s->computed = Pick(0, 4) * 40;
        s->progress = std::min(s->computed, Pick(0, 100));
        for (int b = Pick(1, 6); b > 0 && blocks.num_free() > 0; --b) {
          s->block_table.push_back(blocks.Allocate());
        }
        // Some blocks are shared with another sequence.
        if (!all.empty() && Pick(0, 2) == 0) {
          for (int32_t block : all.back()->block_table) {
            blocks.Share(block);
            s->block_table.push_back(block);
          }
        }
      }
      all.push_back(std::move(s));
    }
  }
  size_t NumRunning() const {
    return static_cast<size_t>(std::count_if(all.begin(), all.end(), [](const auto& s) {
      return s->state == Sequence::State::kRunning;
    }));
  }
  QueueView View() const { return {clients, running, blocks, max_num_seqs}; }
  int SequenceShare() const { return std::max(1, max_num_seqs / static_cast<int>(clients.size())); }
  int BlockShare() const { return blocks.num_blocks() / static_cast<int>(clients.size()); }
  int HeldBlocks(const std::string& client, const std::vector<Sequence*>& without) const {
    int held = 0;
    for (const Sequence* s : running) {
      const bool gone = std::find(without.begin(), without.end(), s) != without.end();
      if (s->client == client && !gone) held += static_cast<int>(s->block_table.size());
    }
    return held;
  }
  int HeldSequences(const std::string& client, const std::vector<Sequence*>& without) const {
    return static_cast<int>(std::count_if(running.begin(), running.end(), [&](const Sequence* s) {
      const bool gone = std::find(without.begin(), without.end(), s) != without.end();
      return s->client == client && !gone;
    }));
  }
  // Blocks that become free when the sequence alone is preempted.
  int Unshared(const Sequence& s) const {
    int count = 0;
    for (int32_t block : s.block_table) count += blocks.references(block) == 1 ? 1 : 0;
    return count;
  }

  std::mt19937 random;
  BlockManager blocks;
  int max_num_seqs;
  std::map<std::string, ClientAccount> clients;
  std::vector<std::unique_ptr<Sequence>> all;
  std::vector<Sequence*> running;
};

// True if the victims cover the shortage.
bool Covers(const World& world, const std::vector<Sequence*>& victims, const Shortage& shortage) {
  int freed = 0;
  for (const Sequence* s : victims) freed += world.Unshared(*s);
  return static_cast<int>(victims.size()) >= shortage.sequences && freed >= shortage.blocks;
}

bool Unused(const Sequence& s) { return s.paused || s.computed == 0; }

TEST_CASE("waiting sequences are ordered by share, counter and arrival") {
  const auto policy = MakeQueuePolicy("fair");
  REQUIRE(policy);
  for (uint32_t seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    World world(seed);
    std::vector<Sequence*> order;
    policy->OrderWaiting(world.View(), &order);
    // The definition: repeatedly the best of the remaining ones.
    std::vector<Sequence*> left;
    for (const auto& [name, account] : world.clients) {
      if (!account.waiting.empty()) left.push_back(account.waiting.front());
    }
    REQUIRE(order.size() == left.size());
    for (const Sequence* next : order) {
      for (const Sequence* other : left) {
        const bool next_full = next->account->running >= world.SequenceShare();
        const bool other_full = other->account->running >= world.SequenceShare();
        if (next_full != other_full) {
          CHECK(other_full);
        } else if (next->account->served != other->account->served) {
          CHECK(next->account->served < other->account->served);
        } else {
          CHECK(next->id <= other->id);
        }
      }
      REQUIRE(std::erase(left, next) == 1);
    }
  }
}

// Properties of victims that are preempted because their clients are above their shares.
void CheckExcess(const World& world, const Sequence& waiting, const Shortage& shortage,
                 const std::vector<Sequence*>& victims) {
  CHECK(world.HeldBlocks(waiting.client, {}) + shortage.blocks + world.blocks.num_free() <=
        (shortage.blocks > 0 ? world.BlockShare() : 1 << 20));
  std::vector<Sequence*> gone;
  for (Sequence* victim : victims) {
    const bool by_sequences = shortage.sequences > static_cast<int>(gone.size());
    const auto excess = [&](const std::string& client) {
      return by_sequences ? world.HeldSequences(client, gone) - world.SequenceShare()
                          : world.HeldBlocks(client, gone) - world.BlockShare();
    };
    CHECK(excess(victim->client) > 0);
    // Nobody with a larger excess could have been taken, and no younger one of the same client.
    for (Sequence* other : world.running) {
      const bool taken = std::find(gone.begin(), gone.end(), other) != gone.end();
      const bool eligible =
          other->client != waiting.client && (Unused(*other) || other->progress >= 64);
      if (taken || !eligible) continue;
      CHECK(excess(other->client) <= excess(victim->client));
      if (other->client == victim->client) CHECK(other->id <= victim->id);
    }
    gone.push_back(victim);
  }
}

TEST_CASE("victims cover the shortage, are no more than needed, and have made progress") {
  const auto policy = MakeQueuePolicy("fair");
  int by_excess = 0, in_turn = 0, none = 0;
  for (uint32_t seed = 0; seed < 4000; ++seed) {
    CAPTURE(seed);
    World world(seed);
    const auto view = world.View();
    for (auto& [name, account] : world.clients) {
      if (account.waiting.empty()) continue;
      const Sequence& waiting = *account.waiting.front();
      const bool may = policy->MayPreempt(view, waiting);
      CHECK(may == (world.clients.size() > 1 && account.running < world.SequenceShare()));
      const Shortage shortage{static_cast<int>(world.running.size()) - world.max_num_seqs + 1,
                              world.Pick(-3, 6)};
      if (!may || !shortage.any()) continue;
      std::vector<Sequence*> victims;
      policy->ChooseVictims(view, waiting, shortage, &victims);
      if (victims.empty()) {
        ++none;
        continue;
      }
      CHECK(Covers(world, victims, shortage));
      bool excess = true;
      for (size_t i = 0; i < victims.size(); ++i) {
        const Sequence& victim = *victims[i];
        CHECK(victim.client != waiting.client);
        CHECK((Unused(victim) || victim.progress >= (account.running == 0 ? 8 : 64)));
        const std::vector<Sequence*> before(victims.begin(), victims.begin() + static_cast<int>(i));
        CHECK_FALSE(Covers(world, before, shortage));
        const bool by_sequences = shortage.sequences > static_cast<int>(i);
        excess = excess &&
                 (by_sequences ? world.HeldSequences(victim.client, before) > world.SequenceShare()
                               : world.HeldBlocks(victim.client, before) > world.BlockShare());
      }
      if (excess) {
        ++by_excess;
        // A client that runs nothing may take sequences with less progress.
        if (account.running > 0) CheckExcess(world, waiting, shortage, victims);
      } else {
        ++in_turn;
        CHECK(account.running == 0);
        for (const Sequence* victim : victims) CHECK(victim->account->served > account.served);
      }
    }
  }
  CHECK(by_excess > 100);
  CHECK(in_turn > 100);
  CHECK(none > 100);
}

TEST_CASE("a growing sequence takes blocks from the youngest of the client that holds most") {
  const auto policy = MakeQueuePolicy("fair");
  int from_most = 0;
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    CAPTURE(seed);
    World world(seed);
    if (world.running.empty()) continue;
    const Sequence& growing = *world.running[world.random() % world.running.size()];
    const Sequence* victim = policy->VictimOfGrowth(world.View(), growing);
    CHECK(victim != &growing);
    const Sequence* youngest = world.running.back();
    int most = 0;
    for (const auto& [name, account] : world.clients) {
      most = std::max(most, world.HeldBlocks(name, {}));
    }
    const bool youngest_of_all = victim == (youngest->id > growing.id ? youngest : nullptr);
    if (victim == nullptr || world.clients.size() < 2) {
      // `growing` is preempted: it is the youngest of all, or of the client that holds most.
      if (victim == nullptr && youngest != &growing) {
        CHECK(world.HeldBlocks(growing.client, {}) == most);
      } else {
        CHECK(youngest_of_all);
      }
      continue;
    }
    const bool holds_most = world.HeldBlocks(victim->client, {}) == most;
    CHECK((holds_most || youngest_of_all));
    if (!holds_most) continue;
    ++from_most;
    for (const Sequence* s : world.running) {
      if (s->client == victim->client && !youngest_of_all) CHECK(s->id <= victim->id);
    }
  }
  CHECK(from_most > 100);
}

TEST_CASE("a client that runs nothing is passed over a bounded number of times") {
  const auto policy = MakeQueuePolicy("fair");
  ClientAccount account;
  Sequence waiting;
  waiting.account = &account;
  CHECK(policy->MayBePassed(waiting));
  account.passed_over = 31;
  CHECK(policy->MayBePassed(waiting));
  account.passed_over = 32;
  CHECK_FALSE(policy->MayBePassed(waiting));
  account.running = 1;
  CHECK(policy->MayBePassed(waiting));
}

}  // namespace
}  // namespace edgegate
