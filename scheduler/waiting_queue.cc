#include "scheduler/waiting_queue.h"

#include <algorithm>
#include <cassert>
#include <tuple>

namespace edgegate {

void WaitingQueue::Add(Sequence* sequence) {
  const auto [place, opened] = accounts_.try_emplace(sequence->client);
  ClientAccount& account = place->second;
  if (opened) {
    account.name = sequence->client;
    bool first = true;
    for (const auto& [name, other] : accounts_) {
      if (&other == &account) continue;
      account.served = first ? other.served : std::min(account.served, other.served);
      first = false;
    }
  }
  sequence->account = &account;
  Insert(sequence);
}

void WaitingQueue::Insert(Sequence* sequence) {
  auto& waiting = sequence->account->waiting;
  // Nearly always the last place: only sequences that were preempted are older.
  auto place = waiting.end();
  while (place != waiting.begin() && (*std::prev(place))->id > sequence->id) --place;
  waiting.insert(place, sequence);
  ++size_;
}

void WaitingQueue::Admit(Sequence* sequence) {
  ClientAccount& account = *sequence->account;
  assert(account.waiting.front() == sequence);
  account.waiting.pop_front();
  account.passed_over = 0;
  ++account.running;
  --size_;
}

void WaitingQueue::PutBack(Sequence* sequence) {
  --sequence->account->running;
  Insert(sequence);
}

void WaitingQueue::Remove(Sequence* sequence) {
  if (sequence->account == nullptr) return;
  ClientAccount& account = *sequence->account;
  sequence->account = nullptr;
  if (std::erase(account.waiting, sequence) > 0) {
    --size_;
  } else {
    --account.running;
  }
  // Followers that have not forked yet compute the prompt themselves.
  for (Sequence* waiting : account.waiting) {
    if (waiting->leader == sequence) waiting->leader = nullptr;
  }
  if (account.running == 0 && account.waiting.empty()) accounts_.erase(account.name);
}

void WaitingQueue::Charge(Sequence* sequence, int computed) {
  const int from = sequence->charged;
  if (computed <= from) return;
  const int prompt = std::max(0, std::min(computed, sequence->prompt_len) - from);
  sequence->charged = computed;
  sequence->account->served +=
      static_cast<uint64_t>(prompt * kPromptWeight + (computed - from - prompt) * kGeneratedWeight);
}

const std::vector<Sequence*>& WaitingQueue::Heads() {
  heads_.clear();
  for (auto& [name, account] : accounts_) {
    if (!account.waiting.empty()) heads_.push_back(account.waiting.front());
  }
  const int fair = FairRunning();
  const auto key = [&](const Sequence* s) {
    return std::tuple(s->account->running >= fair, s->account->served, s->id);
  };
  std::sort(heads_.begin(), heads_.end(),
            [&](const Sequence* a, const Sequence* b) { return key(a) < key(b); });
  return heads_;
}

int WaitingQueue::FairRunning() const {
  return std::max(1, max_num_seqs_ / std::max(1, num_clients()));
}

}  // namespace edgegate
