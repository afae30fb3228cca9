// The table of connections: the state of each, and the choice of the one that ends when another
// needs its slot.
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

  // Takes a slot for `socket`. If none is free, evicts another connection: one of the same address
  // if that address is at its cap, else any. The order is: the connection that has been idle for
  // longest; then, of the address with most connections, the one that has been reading for longest.
  // If none can be evicted, takes a reserve slot. The entry is valid until Remove().
  Entry* Admit(int socket, const std::string& address) EG_EXCLUDES(mutex_);
  // Returns false if the entry's slot was given away.
  bool SetState(Entry* entry, ConnectionState state) EG_EXCLUDES(mutex_);
  // Removes the entry and closes its socket.
  void Remove(Entry* entry) EG_EXCLUDES(mutex_);

  // Evicts one connection, chosen as in Admit(), and waits until its socket is closed or `deadline`
  // passes. False: none can be evicted.
  bool MakeRoom(Clock::time_point deadline) EG_EXCLUDES(mutex_);
  // False: evicts the connections that do not work on a request. True: shuts all sockets down.
  void EvictAll(bool working) EG_EXCLUDES(mutex_);
  // Waits until there are no connections. False: `deadline` passed first.
  bool WaitEmpty(Clock::time_point deadline) EG_EXCLUDES(mutex_);
  int size() const EG_EXCLUDES(mutex_);

 private:
  // Returns the connection to evict; null: none. Empty `address`: a connection of any address.
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
  // Number of connections that are neither evicted nor in a reserve slot.
  int counted_ EG_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, int> by_address_ EG_GUARDED_BY(mutex_);
  int reserved_ EG_GUARDED_BY(mutex_) = 0;  // in reserve and not evicted
};

}  // namespace edgegate
