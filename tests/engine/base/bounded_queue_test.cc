// The queue against its contract: order, bound, deadlines, closing, and many threads at once.

#include "engine/base/bounded_queue.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

TEST_CASE("items come out in the order in which they went in") {
  BoundedQueue<int> queue(4);
  for (int i = 0; i < 4; ++i) CHECK(queue.TryPush(int{i}));
  CHECK(queue.size() == 4);
  for (int i = 0; i < 4; ++i) CHECK(queue.TryPop() == i);
  CHECK(queue.TryPop() == std::nullopt);
}

TEST_CASE("a full queue refuses an item and leaves it to the caller") {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  CHECK(queue.TryPush(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  CHECK_FALSE(queue.TryPush(std::move(second)));
  REQUIRE(second != nullptr);  // NOLINT(bugprone-use-after-move): the contract
  CHECK(**queue.TryPop() == 1);
  CHECK(queue.TryPush(std::move(second)));
}

TEST_CASE("an empty queue waits until its deadline") {
  BoundedQueue<int> queue(1);
  const auto deadline = Clock::now() + milliseconds(20);
  CHECK(queue.PopUntil(deadline) == std::nullopt);
  CHECK(Clock::now() >= deadline);
}

TEST_CASE("a push ends the wait") {
  BoundedQueue<int> queue(1);
  std::thread pusher([&] {
    std::this_thread::sleep_for(milliseconds(10));
    CHECK(queue.TryPush(7));
  });
  CHECK(queue.PopUntil(Clock::time_point::max()) == 7);
  pusher.join();
}

TEST_CASE(
    "closing wakes all waiting threads, refuses further items, and still returns the items "
    "inside") {
  BoundedQueue<int> queue(2);
  CHECK(queue.TryPush(1));
  queue.Close();
  queue.Close();
  CHECK_FALSE(queue.TryPush(2));
  CHECK(queue.PopUntil(Clock::time_point::max()) == 1);
  CHECK(queue.PopUntil(Clock::time_point::max()) == std::nullopt);
  BoundedQueue<int> other(1);
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] { CHECK(other.PopUntil(Clock::time_point::max()) == std::nullopt); });
  }
  std::this_thread::sleep_for(milliseconds(10));
  other.Close();
  for (auto& thread : waiting) thread.join();
}

TEST_CASE("many threads: each item comes out once, and no thread's items change their order") {
  constexpr int kThreads = 4, kEach = 2000;
  BoundedQueue<int> queue(16);
  std::vector<std::thread> pushers, poppers;
  std::vector<std::vector<int>> popped(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    pushers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        while (!queue.TryPush(t * kEach + i)) std::this_thread::yield();
      }
    });
    poppers.emplace_back([&, t] {
      while (auto item = queue.PopUntil(Clock::time_point::max())) popped[t].push_back(*item);
    });
  }
  for (auto& thread : pushers) thread.join();
  queue.Close();
  for (auto& thread : poppers) thread.join();
  std::vector<int> count(kThreads * kEach);
  for (const auto& items : popped) {
    std::vector<int> last(kThreads, -1);
    for (const int item : items) {
      ++count[static_cast<size_t>(item)];
      CHECK(item > last[static_cast<size_t>(item / kEach)]);
      last[static_cast<size_t>(item / kEach)] = item;
    }
  }
  CHECK(count == std::vector<int>(kThreads * kEach, 1));
}

}  // namespace
}  // namespace edgegate
