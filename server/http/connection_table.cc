#include "server/http/connection_table.h"

#include <sys/socket.h>
#include <unistd.h>

namespace edgegate {
namespace {

// True where bytes have come that the connection's thread has not read yet.
bool HasInput(int socket) {
  char byte;
  return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

}  // namespace

ConnectionTable::Entry* ConnectionTable::Admit(int socket, const std::string& address) {
  MutexLock lock(mutex_);
  const auto of_address = by_address_.find(address);
  const bool capped = of_address != by_address_.end() && of_address->second >= limits_.per_address;
  bool reserve = false;
  if (capped || counted_ >= limits_.connections) {
    Entry* victim = Victim(capped ? address : "");
    reserve = victim == nullptr;
    if (reserve && reserved_ >= limits_.reserve) victim = OldestReserve();
    if (victim != nullptr) Evict(victim);
  }
  Entry& entry = entries_.emplace_back();
  entry.self = std::prev(entries_.end());
  entry.socket = socket;
  entry.address = address;
  entry.reserve = reserve;
  entry.since = Clock::now();
  if (reserve) {
    ++reserved_;
  } else {
    ++counted_;
    ++by_address_[address];
  }
  return &entry;
}

bool ConnectionTable::SetState(Entry* entry, ConnectionState state) {
  MutexLock lock(mutex_);
  if (entry->evicted) return false;
  entry->state = state;
  entry->since = Clock::now();
  return true;
}

void ConnectionTable::Remove(Entry* entry) {
  MutexLock lock(mutex_);
  if (!entry->evicted) Uncount(*entry);
  // Closed under the lock. Otherwise another thread could shut down a descriptor that is already in
  // use again.
  close(entry->socket);
  entries_.erase(entry->self);
  changed_.NotifyAll();
}

bool ConnectionTable::MakeRoom(Clock::time_point deadline) {
  MutexLock lock(mutex_);
  Entry* victim = Victim("");
  if (victim == nullptr) return false;
  Evict(victim);
  const size_t had = entries_.size();
  while (entries_.size() >= had && changed_.WaitUntil(mutex_, deadline)) {
  }
  return true;
}

void ConnectionTable::EvictAll(bool working) {
  MutexLock lock(mutex_);
  for (Entry& entry : entries_) {
    if (working) {
      shutdown(entry.socket, SHUT_RDWR);
    } else if (entry.state != ConnectionState::kWorking && !entry.evicted) {
      Evict(&entry);
    }
  }
}

bool ConnectionTable::WaitEmpty(Clock::time_point deadline) {
  MutexLock lock(mutex_);
  while (!entries_.empty()) {
    if (!changed_.WaitUntil(mutex_, deadline)) return entries_.empty();
  }
  return true;
}

int ConnectionTable::size() const {
  MutexLock lock(mutex_);
  return static_cast<int>(entries_.size());
}

ConnectionTable::Entry* ConnectionTable::Victim(const std::string& address) {
  while (Entry* idle = Oldest(ConnectionState::kIdle, address, Clock::time_point::max())) {
    if (!HasInput(idle->socket)) return idle;
    idle->state = ConnectionState::kReading;  // its thread will set this state soon
  }
  const auto before = Clock::now() - limits_.grace;
  const std::string readers = address.empty() ? BusiestReader(before) : address;
  return readers.empty() ? nullptr : Oldest(ConnectionState::kReading, readers, before);
}

ConnectionTable::Entry* ConnectionTable::Oldest(ConnectionState state, const std::string& address,
                                                Clock::time_point before) {
  Entry* oldest = nullptr;
  for (Entry& entry : entries_) {
    if (entry.evicted || entry.reserve || entry.state != state || entry.since > before) continue;
    if (!address.empty() && entry.address != address) continue;
    if (oldest == nullptr || entry.since < oldest->since) oldest = &entry;
  }
  return oldest;
}

ConnectionTable::Entry* ConnectionTable::OldestReserve() {
  Entry* oldest = nullptr;
  for (Entry& entry : entries_) {  // oldest first
    if (!entry.reserve || entry.evicted || entry.state == ConnectionState::kWorking) continue;
    if (oldest == nullptr) oldest = &entry;
    const bool idle = entry.state == ConnectionState::kIdle;
    if (idle && !HasInput(entry.socket)) return &entry;
  }
  return oldest;
}

std::string ConnectionTable::BusiestReader(Clock::time_point before) {
  std::string busiest;
  int most = 0;
  for (const Entry& entry : entries_) {
    if (entry.evicted || entry.reserve || entry.state != ConnectionState::kReading) continue;
    if (entry.since > before) continue;
    const int count = by_address_[entry.address];
    if (count > most) {
      most = count;
      busiest = entry.address;
    }
  }
  return busiest;
}

void ConnectionTable::Evict(Entry* entry) {
  Uncount(*entry);
  entry->evicted = true;
  // Wakes the connection's thread. It may still write an answer.
  shutdown(entry->socket, SHUT_RD);
}

void ConnectionTable::Uncount(const Entry& entry) {
  if (entry.reserve) {
    --reserved_;
    return;
  }
  --counted_;
  const auto of_address = by_address_.find(entry.address);
  if (--of_address->second == 0) by_address_.erase(of_address);
}

}  // namespace edgegate
