// The table of connections: what each does, and which one ends when another needs its slot.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <string>
#include <unordered_map>

#include "engine/base/mutex.h"

namespace edgegate {

enum class ConnectionState {
  kIdle,  // waits for a request's first byte, or for the client to take the last bytes of an answer
  kReading,  // a head or a body has begun and is not whole
  kWorking,  // a request is being answered
};

struct TableLimits {
  int connections = 512;
  int per_address = 256;
  // Slots beyond `connections`. Their connections get one answer: /health, or a 503.
  int reserve = 32;
  // A connection that reads for less than this keeps its slot.
  std::chrono::milliseconds grace{1000};
};

// Provides its own synchronization.
class ConnectionTable {
 public:
  using Clock = std::chrono::steady_clock;

  struct Entry {
    int socket = -1;
    std::string address;
    bool reserve = false;
    // Set when the slot was given away. The connection's thread sees end of input.
    std::atomic<bool> evicted{false};
    // Guarded by the table's mutex.
    ConnectionState state = ConnectionState::kIdle;
    Clock::time_point since;
    std::list<Entry>::iterator self;
  };

  explicit ConnectionTable(const TableLimits& limits) : limits_(limits) {}

  // Takes a slot for `socket` and, where there is none, gives one away: of the address when that is
  // at its cap, else of all. First the connection that has been idle for longest, then the one that
  // has been reading for longest, of the address with most connections, then a reserve slot. The
  // entry is valid until Remove().
  Entry* Admit(int socket, const std::string& address) EG_EXCLUDES(mutex_);
  // False when the entry's slot was given away.
  bool SetState(Entry* entry, ConnectionState state) EG_EXCLUDES(mutex_);
  // Closes the socket.
  void Remove(Entry* entry) EG_EXCLUDES(mutex_);

  // Ends one connection, as Admit() would choose it among all, and waits until its socket is
  // closed, but not after `deadline`. False: there is none to give away.
  bool MakeRoom(Clock::time_point deadline) EG_EXCLUDES(mutex_);
  // Ends all that do not work on a request, or all.
  void EvictAll(bool working) EG_EXCLUDES(mutex_);
  // False when there are still connections at `deadline`.
  bool WaitEmpty(Clock::time_point deadline) EG_EXCLUDES(mutex_);
  int size() const EG_EXCLUDES(mutex_);

 private:
  // The one to give away; null: none. Empty `address`: of all addresses.
  Entry* Victim(const std::string& address) EG_REQUIRES(mutex_);
  Entry* Oldest(ConnectionState state, const std::string& address, Clock::time_point before)
      EG_REQUIRES(mutex_);
  Entry* OldestReserve() EG_REQUIRES(mutex_);
  std::string BusiestReader(Clock::time_point before) EG_REQUIRES(mutex_);
  void Evict(Entry* entry) EG_REQUIRES(mutex_);
  void Uncount(const Entry& entry) EG_REQUIRES(mutex_);

  const TableLimits limits_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::list<Entry> entries_ EG_GUARDED_BY(mutex_);
  // Those that hold a slot: neither evicted nor in reserve.
  int counted_ EG_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, int> by_address_ EG_GUARDED_BY(mutex_);
  int reserved_ EG_GUARDED_BY(mutex_) = 0;  // in reserve and not evicted
};

}  // namespace edgegate
