#include "server/worker/job_slots.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace edgegate {
namespace {

// Threads that want one slot each, in the order in which they are added.
class Line {
 public:
  explicit Line(JobSlots* slots) : slots_(slots) {}
  ~Line() {
    for (std::thread& thread : threads_) thread.join();
  }

  void Add(const std::string& client) {
    const int before = arrived_;
    threads_.emplace_back([this, client] {
      const JobContext context{client, [this, first = true]() mutable {
                                 if (first) ++arrived_;  // called when the thread waits
                                 first = false;
                                 return false;
                               }};
      auto slot = slots_->Acquire(context);
      REQUIRE(slot.ok());
      MutexLock lock(mutex_);
      order_.push_back(client);
    });
    while (arrived_ == before) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  std::vector<std::string> order() {
    MutexLock lock(mutex_);
    return order_;
  }

 private:
  JobSlots* const slots_;
  std::atomic<int> arrived_{0};
  Mutex mutex_;
  std::vector<std::string> order_ EG_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

TEST_CASE("clients that wait take turns") {
  JobSlots slots(1, 100);
  auto held = std::make_unique<JobSlots::Slot>(*slots.Acquire({"z", nullptr}));
  std::vector<std::string> order;
  {
    Line line(&slots);
    for (const char* client : {"a", "a", "a", "b", "c", "b"}) line.Add(client);
    held.reset();
    while (line.order().size() < 6) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    order = line.order();
  }
  CHECK(order == std::vector<std::string>{"a", "b", "c", "a", "b", "a"});
}

TEST_CASE("a client that leaves gives up its place in the queue") {
  JobSlots slots(1, 100);
  auto held = slots.Acquire({"a", nullptr});
  REQUIRE(held.ok());
  const auto left = slots.Acquire({"b", [] { return true; }});
  CHECK(left.status().code() == StatusCode::kCancelled);
}

TEST_CASE("a job beyond the queue's limit is refused") {
  JobSlots slots(1, 0);
  const auto refused = slots.Acquire({"a", nullptr});
  CHECK(refused.status().code() == StatusCode::kUnavailable);
}

TEST_CASE("closing ends all waiting jobs") {
  JobSlots slots(1, 100);
  auto held = slots.Acquire({"a", nullptr});
  std::thread waiting([&] {
    CHECK(slots.Acquire({"b", nullptr}).status().code() == StatusCode::kUnavailable);
  });
  slots.Close();
  waiting.join();
  CHECK(slots.closed());
  CHECK_FALSE(slots.Acquire({"c", nullptr}).ok());
}

TEST_CASE("never more than `count` at once") {
  JobSlots slots(3, 1000);
  std::atomic<int> inside{0}, most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const auto slot = slots.Acquire({std::to_string(t % 5), nullptr});
        REQUIRE(slot.ok());
        most = std::max(most.load(), ++inside);
        std::this_thread::yield();
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most <= 3);
}

}  // namespace
}  // namespace edgegate
