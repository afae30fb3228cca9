// "fair": clients share the model by the Virtual Token Counter (Sheng et al. 2024, "Fairness in
// Serving Large Language Models", arXiv:2401.00588), with preemption.
//
// Order. Each client has a counter of the tokens computed for it. A prompt token counts 1 and a
// generated token 2. The client with the lowest counter goes first. A new client starts at the
// lowest counter of those that are present, so that it is owed nothing for its absence. Before the
// counters, the number of running sequences decides: a client that runs fewer than its share of
// max_num_seqs goes before those that run their share or more. Within a client, and with a single
// client, the order is first come, first served.
//
// Preemption. With K clients, a client's share is 1/K of max_num_seqs, at least one sequence, and
// 1/K of the KV blocks. A client below its share preempts the youngest sequences of the client that
// is most above its own share: as many as its first waiting sequence needs, or none. No preemption
// takes a client below its share, or the preempting client above its own. Two clients therefore
// cannot take the same room from each other in turn.
//
// A client that runs nothing and gets no room in this way (because there are more clients than
// sequences that may run, or because it needs more than its share of the blocks) takes turns: it
// may preempt sequences of clients with higher counters.
//
// Progress. A sequence can be preempted for another client only after it has computed some tokens
// for the first time since its admission, or if it makes no use of its place: it has computed
// nothing yet, or it is paused. The number of preemptions is therefore bounded by the number of
// tokens and of pauses, and all sequences make progress.
#include <algorithm>
#include <tuple>

#include "scheduler/queue_policy.h"

namespace edgegate {
namespace {

constexpr int kPromptWeight = 1, kGeneratedWeight = 2;

// Admissions of others that a client without running sequences lets pass while its first sequence
// waits for room. After that, nobody else is admitted before it.
constexpr int kMaxPassedOver = 32;

// Tokens that a sequence computes for the first time before it may be preempted. The number is
// small if the preempting client runs nothing, so that a new client starts at once. Otherwise it is
// so large that computing the sequence again costs little in comparison.
constexpr int kProgressForNewClient = 8;
constexpr int kProgress = 64;

// Number of sequences that each client may run while all have enough to do.
int SequenceShare(const QueueView& view) {
  return std::max(1, view.max_num_seqs / std::max(1, view.num_clients()));
}

int BlockShare(const QueueView& view) { return view.blocks.num_blocks() / view.num_clients(); }

// Counts the sequences and blocks that each client with running sequences holds.
void CountHoldings(const QueueView& view) {
  for (const Sequence* s : view.running) s->account->held_sequences = s->account->held_blocks = 0;
  for (const Sequence* s : view.running) {
    ++s->account->held_sequences;
    s->account->held_blocks += static_cast<int>(s->block_table.size());
  }
}

// Number of blocks that become free when the sequence is preempted.
int UnsharedBlocks(const QueueView& view, const Sequence& sequence) {
  return static_cast<int>(
      std::count_if(sequence.block_table.begin(), sequence.block_table.end(),
                    [&](int32_t block) { return view.blocks.references(block) == 1; }));
}

class FairPolicy : public QueuePolicy {
 public:
  void OnNewClient(const std::map<std::string, ClientAccount>& clients,
                   ClientAccount* account) override {
    bool first = true;
    for (const auto& [name, other] : clients) {
      if (&other == account) continue;
      account->served = first ? other.served : std::min(account->served, other.served);
      first = false;
    }
  }

  void OnComputed(ClientAccount* account, int prompt_tokens, int generated_tokens) override {
    account->served +=
        static_cast<uint64_t>(prompt_tokens * kPromptWeight + generated_tokens * kGeneratedWeight);
  }

  void OrderWaiting(const QueueView& view, std::vector<Sequence*>* order) override {
    QueuePolicy::OrderWaiting(view, order);
    const int share = SequenceShare(view);
    const auto key = [&](const Sequence* s) {
      return std::tuple(s->account->running >= share, s->account->served, s->id);
    };
    std::sort(order->begin(), order->end(),
              [&](const Sequence* a, const Sequence* b) { return key(a) < key(b); });
  }

  void OrderRunning(const QueueView& view, std::vector<Sequence*>* running) override {
    if (view.num_clients() < 2) return;
    std::sort(running->begin(), running->end(), [](const Sequence* a, const Sequence* b) {
      return std::pair(a->account->served, a->id) < std::pair(b->account->served, b->id);
    });
  }

  bool Overtakes(const Sequence& waiting, const Sequence& running) const override {
    return waiting.account->served < running.account->served;
  }

  bool MayBePassed(const Sequence& blocked) const override {
    return blocked.account->running > 0 || blocked.account->passed_over < kMaxPassedOver;
  }

  bool MayPreempt(const QueueView& view, const Sequence& waiting) const override {
    return view.num_clients() > 1 && waiting.account->running < SequenceShare(view);
  }

  void ChooseVictims(const QueueView& view, const Sequence& waiting, Shortage shortage,
                     std::vector<Sequence*>* victims) override {
    CountHoldings(view);
    const bool runs = waiting.account->running > 0;
    const int held = runs ? waiting.account->held_blocks : 0;
    const int needed = shortage.blocks + view.blocks.num_free();
    const bool within_share = shortage.blocks <= 0 || held + needed <= BlockShare(view);
    if (within_share && Cover(view, waiting, shortage, false, victims)) return;
    if (!runs && Cover(view, waiting, shortage, true, victims)) return;
    victims->clear();
  }

  // The youngest sequence of the client that holds most blocks, unless that client runs a single
  // one. Then, as with a single client, the youngest of all if it is younger than `growing`.
  Sequence* VictimOfGrowth(const QueueView& view, const Sequence& growing) override {
    if (view.num_clients() > 1) {
      CountHoldings(view);
      const ClientAccount* most = growing.account;
      for (const Sequence* s : view.running) {
        if (s->account->held_blocks > most->held_blocks) most = s->account;
      }
      if (most->running > 1) {
        const auto youngest = std::find_if(view.running.rbegin(), view.running.rend(),
                                           [&](const Sequence* s) { return s->account == most; });
        return *youngest == &growing ? nullptr : *youngest;
      }
    }
    return QueuePolicy::VictimOfGrowth(view, growing);
  }

 private:
  // Fills `victims` until they cover the shortage. False if they cannot.
  static bool Cover(const QueueView& view, const Sequence& waiting, Shortage shortage, bool in_turn,
                    std::vector<Sequence*>* victims) {
    CountHoldings(view);
    victims->clear();
    while (shortage.any()) {
      Sequence* victim = BestVictim(view, waiting, shortage, in_turn, *victims);
      if (victim == nullptr) return false;
      victims->push_back(victim);
      --victim->account->held_sequences;
      victim->account->held_blocks -= static_cast<int>(victim->block_table.size());
      --shortage.sequences;
      shortage.blocks -= UnsharedBlocks(view, *victim);
    }
    return true;
  }

  // The youngest sequence that may be preempted of the client with the largest excess; null if
  // there is none.
  static Sequence* BestVictim(const QueueView& view, const Sequence& waiting,
                              const Shortage& shortage, bool in_turn,
                              const std::vector<Sequence*>& victims) {
    const int sequence_share = SequenceShare(view), block_share = BlockShare(view);
    Sequence* best = nullptr;
    uint64_t largest = 0;
    for (auto place = view.running.rbegin(); place != view.running.rend(); ++place) {
      const ClientAccount& other = *(*place)->account;
      const int above = shortage.sequences > 0 ? other.held_sequences - sequence_share
                                               : other.held_blocks - block_share;
      const uint64_t excess = in_turn ? other.served : static_cast<uint64_t>(std::max(0, above));
      if (excess <= largest || !MayTake(waiting, **place, in_turn)) continue;
      if (std::find(victims.begin(), victims.end(), *place) != victims.end()) continue;
      best = *place;
      largest = excess;
    }
    return best;
  }

  static bool MayTake(const Sequence& waiting, const Sequence& victim, bool in_turn) {
    const ClientAccount &own = *waiting.account, &other = *victim.account;
    if (&own == &other) return false;
    const bool unused = victim.paused || victim.computed == 0;
    if (in_turn) return other.served > own.served && (unused || victim.progress >= kProgress);
    const bool new_client = own.running == 0 && other.held_sequences > 1;
    return unused || victim.progress >= (new_client ? kProgressForNewClient : kProgress);
  }
};

const QueuePolicyRegistration kRegistration("fair", [] {
  return std::unique_ptr<QueuePolicy>(std::make_unique<FairPolicy>());
});

}  // namespace
}  // namespace edgegate
