#include "server/access/memory_budget.h"

#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

TEST_CASE("a lease takes memory and returns it") {
  MemoryBudget budget(100);
  {
    MemoryBudget::Lease lease = budget.MakeLease();
    CHECK(lease.Grow(60, Clock::now()).ok());
    CHECK(lease.Grow(40, Clock::now()).ok());
    CHECK(budget.used() == 100);
    lease.ShrinkTo(30);
    CHECK(budget.used() == 30);
    lease.ShrinkTo(50);
    CHECK(lease.bytes() == 30);
    MemoryBudget::Lease moved = std::move(lease);
    CHECK(moved.bytes() == 30);
    CHECK(lease.bytes() == 0);
  }
  CHECK(budget.used() == 0);
}

TEST_CASE("a request waits for memory until its deadline, and its error names the setting") {
  MemoryBudget budget(int64_t{8} << 20);
  MemoryBudget::Lease first = budget.MakeLease(), second = budget.MakeLease();
  CHECK(first.Grow(int64_t{6} << 20, Clock::now()).ok());
  const Status late = second.Grow(int64_t{4} << 20, Clock::now() + std::chrono::milliseconds(5));
  CHECK(late.code() == StatusCode::kUnavailable);
  CHECK(late.message().find("8 MiB (server.request_memory_mb)") != std::string::npos);
  CHECK(second.bytes() == 0);
  std::thread other([&] { first.Release(); });
  CHECK(second.Grow(int64_t{4} << 20, Clock::now() + std::chrono::seconds(60)).ok());
  other.join();
}

TEST_CASE("more than the whole budget is refused at once") {
  MemoryBudget budget(int64_t{8} << 20);
  MemoryBudget::Lease lease = budget.MakeLease();
  const auto hour = Clock::now() + std::chrono::hours(1);
  CHECK(lease.Grow(int64_t{9} << 20, hour).code() == StatusCode::kInvalidArgument);
  CHECK(lease.Grow(int64_t{5} << 20, hour).ok());
  CHECK(lease.Grow(int64_t{4} << 20, hour).code() == StatusCode::kInvalidArgument);
}

TEST_CASE("threads never take more than the limit together") {
  MemoryBudget budget(1000);
  std::atomic<int64_t> held{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int i = 0; i < 500; ++i) {
        MemoryBudget::Lease lease = budget.MakeLease();
        const int64_t bytes = 1 + static_cast<int64_t>(random() % 500);
        if (!lease.Grow(bytes, Clock::now() + std::chrono::seconds(60)).ok()) continue;
        if (held.fetch_add(bytes) + bytes > 1000) over = true;
        held.fetch_sub(bytes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(over);
  CHECK(budget.used() == 0);
}

}  // namespace
}  // namespace edgegate
