// Places in the waiting queue, compared with a count of the places that each ticket holds.

#include "scheduler/admission_limiter.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace edgegate {
namespace {

// Takes tickets of one place each, until the limiter refuses.
std::vector<AdmissionTicket> Fill(AdmissionLimiter* limiter, const std::string& client) {
  std::vector<AdmissionTicket> tickets;
  while (true) {
    auto ticket = limiter->Enter(client, 1);
    if (!ticket.ok()) {
      CHECK(ticket.status().code() == StatusCode::kResourceExhausted);
      CHECK(ticket.status().message().find("engine.max_waiting") != std::string::npos);
      return tickets;
    }
    tickets.push_back(*std::move(ticket));
  }
}

TEST_CASE("each client may take three quarters of the places that others leave") {
  auto limiter = std::make_shared<AdmissionLimiter>(256);
  auto a = Fill(limiter.get(), "a");
  CHECK(a.size() == 192);
  auto b = Fill(limiter.get(), "b");
  CHECK(b.size() == 48);
  auto c = Fill(limiter.get(), "c");
  CHECK(c.size() == 12);
  auto d = limiter->Enter("d", 1);
  CHECK(d.ok());
  CHECK(limiter->waiting() == 253);
  a.clear();
  CHECK(limiter->waiting() == 61);
  CHECK(limiter->Enter("d", 64).ok());
}

TEST_CASE("a small queue can be filled by one client") {
  for (int size = 1; size <= 3; ++size) {
    auto limiter = std::make_shared<AdmissionLimiter>(size);
    CHECK(static_cast<int>(Fill(limiter.get(), "a").size()) == size);
  }
}

TEST_CASE("places in the queue return however a ticket ends") {
  std::mt19937 random(1);
  auto limiter = std::make_shared<AdmissionLimiter>(40);
  std::vector<std::pair<int, AdmissionTicket>> held;  // places left
  int total = 0;
  for (int i = 0; i < 5000; ++i) {
    const int places = 1 + static_cast<int>(random() % 6);
    if (random() % 2 == 0) {
      auto ticket = limiter->Enter(std::to_string(random() % 4), places);
      if (ticket.ok()) {
        held.emplace_back(places, *std::move(ticket));
        total += places;
      }
    } else if (!held.empty()) {
      auto& [left, ticket] = held[random() % held.size()];
      if (random() % 2 == 0) {
        ticket.Release(places);
        total -= std::min(left, places);
        left -= std::min(left, places);
      } else {
        total -= left;
        left = 0;
        ticket = AdmissionTicket();
      }
    }
    std::erase_if(held, [](const auto& entry) { return entry.first == 0; });
    REQUIRE(limiter->waiting() == total);
    REQUIRE(total <= 40);
  }
}

}  // namespace
}  // namespace edgegate
