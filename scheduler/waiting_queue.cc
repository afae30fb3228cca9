#include "scheduler/waiting_queue.h"

#include <algorithm>
#include <cassert>

namespace edgegate {

void WaitingQueue::Add(Sequence* sequence) {
  const auto [place, opened] = accounts_.try_emplace(sequence->client);
  ClientAccount& account = place->second;
  if (opened) {
    account.name = sequence->client;
    policy_->OnNewClient(accounts_, &account);
  }
  sequence->account = &account;
  Insert(sequence);
}

void WaitingQueue::Insert(Sequence* sequence) {
  auto& waiting = sequence->account->waiting;
  // Nearly always the last place: only preempted sequences are older than those that wait.
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
  // Followers that have not shared its blocks yet compute the prompt themselves.
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
  policy_->OnComputed(sequence->account, prompt, computed - from - prompt);
}

}  // namespace edgegate
