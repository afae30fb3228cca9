// The choice of the connection that is evicted for a new one.

#include "server/http/connection_table.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

namespace edgegate {
namespace {

using Entry = ConnectionTable::Entry;
using std::chrono::milliseconds;

// A table and the far ends of its connections.
class Crowd {
 public:
  explicit Crowd(const TableLimits& limits) : table(limits) {}
  ~Crowd() {
    for (Entry* entry : entries) table.Remove(entry);
    for (int end : ends_) close(end);
  }

  Entry* Admit(const std::string& address, ConnectionState state = ConnectionState::kIdle) {
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    ends_.push_back(pair[1]);
    Entry* entry = table.Admit(pair[0], address);
    entries.push_back(entry);
    if (state != ConnectionState::kIdle) CHECK(table.SetState(entry, state));
    std::this_thread::sleep_for(milliseconds(2));  // so that their times differ
    return entry;
  }

  // The far end of the connection with that number sends a byte.
  bool Send(size_t number) const { return send(ends_[number], "x", 1, 0) == 1; }

  ConnectionTable table;
  std::vector<Entry*> entries;

 private:
  std::vector<int> ends_;
};

TEST_CASE("the longest idle connection gives way first") {
  Crowd crowd({.connections = 3, .per_address = 3, .reserve = 1, .grace = milliseconds(0)});
  Entry* reading = crowd.Admit("a", ConnectionState::kReading);
  Entry* first = crowd.Admit("b");
  Entry* second = crowd.Admit("c");
  CHECK(crowd.table.SetState(first, ConnectionState::kIdle));  // now the younger one
  Entry* fresh = crowd.Admit("d");
  CHECK(second->evicted);
  CHECK_FALSE(first->evicted);
  CHECK_FALSE(reading->evicted);
  CHECK_FALSE(fresh->reserve);
  CHECK_FALSE(crowd.table.SetState(second, ConnectionState::kWorking));
  char byte;
  CHECK(recv(second->socket, &byte, 1, 0) == 0);  // its thread reads the end of input
}

TEST_CASE("a connection whose first bytes have come is not idle, also before they are read") {
  Crowd crowd({.connections = 2, .per_address = 2, .reserve = 1, .grace = milliseconds(10000)});
  Entry* asks = crowd.Admit("a");
  Entry* silent = crowd.Admit("b");
  REQUIRE(crowd.Send(0));
  CHECK_FALSE(crowd.Admit("c")->reserve);
  CHECK_FALSE(asks->evicted);
  CHECK(silent->evicted);
}

TEST_CASE(
    "without idle connections the slowest reader of the busiest address is closed after a grace "
    "period") {
  for (const int grace : {0, 10000}) {
    Crowd crowd({.connections = 4, .per_address = 4, .reserve = 2, .grace = milliseconds(grace)});
    crowd.Admit("honest", ConnectionState::kReading);
    Entry* slow = crowd.Admit("attacker", ConnectionState::kReading);
    crowd.Admit("attacker", ConnectionState::kReading);
    crowd.Admit("worker", ConnectionState::kWorking);
    Entry* fresh = crowd.Admit("new");
    CHECK(slow->evicted == (grace == 0));
    CHECK(fresh->reserve == (grace != 0));
  }
}

TEST_CASE("an address at its cap closes its own connections") {
  Crowd crowd({.connections = 9, .per_address = 2, .reserve = 2, .grace = milliseconds(0)});
  Entry* other = crowd.Admit("b");
  Entry* first = crowd.Admit("a");
  Entry* second = crowd.Admit("a", ConnectionState::kWorking);
  CHECK_FALSE(crowd.Admit("a", ConnectionState::kWorking)->reserve);
  CHECK(first->evicted);
  CHECK_FALSE(other->evicted);
  CHECK(crowd.Admit("a")->reserve);
  CHECK_FALSE(crowd.Admit("c")->reserve);
  CHECK_FALSE(second->evicted);
}

TEST_CASE("reserve slots go to the youngest connection") {
  Crowd crowd({.connections = 1, .per_address = 1, .reserve = 2, .grace = milliseconds(0)});
  crowd.Admit("a", ConnectionState::kWorking);
  Entry* first = crowd.Admit("a");
  Entry* second = crowd.Admit("b");
  CHECK(first->reserve);
  CHECK(second->reserve);
  CHECK(crowd.Admit("c")->reserve);
  CHECK(first->evicted);
  CHECK_FALSE(second->evicted);
}

TEST_CASE("slots are counted correctly in any order of operations") {
  Crowd crowd({.connections = 8, .per_address = 4, .reserve = 2, .grace = milliseconds(0)});
  uint32_t random = 1;
  for (int i = 0; i < 2000; ++i) {
    random = random * 1664525 + 1013904223;
    const uint32_t pick = random >> 16;
    if (pick % 3 == 0 && !crowd.entries.empty()) {
      const size_t at = pick / 3 % crowd.entries.size();
      crowd.table.Remove(crowd.entries[at]);
      crowd.entries.erase(crowd.entries.begin() + static_cast<ptrdiff_t>(at));
    } else if (pick % 3 == 1 && !crowd.entries.empty()) {
      crowd.table.SetState(crowd.entries[pick / 3 % crowd.entries.size()],
                           static_cast<ConnectionState>(pick / 7 % 3));
    } else {
      crowd.entries.push_back(crowd.table.Admit(dup(0), std::string(1, "abc"[pick / 3 % 3])));
    }
    int counted = 0, reserve = 0, of_a = 0;
    for (const Entry* entry : crowd.entries) {
      if (entry->evicted) continue;
      (entry->reserve ? reserve : counted) += 1;
      of_a += !entry->reserve && entry->address == "a";
    }
    CHECK(counted <= 8);
    CHECK(of_a <= 4);
    CHECK(reserve <= 2 + 8);  // working connections are not evicted
  }
}

}  // namespace
}  // namespace edgegate
