// The contract of the pool: each index is computed once, whichever thread is held up, and every
// loop ends after all its chunks. Run under the thread sanitizer too.

#include "engine/base/thread_pool.h"

#include <doctest/doctest.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace edgegate {
namespace {

using std::chrono::microseconds;

TEST_CASE("each index is computed once, in any number of threads, chunks and delays") {
  for (const int threads : {1, 2, 3, 7}) {
    CAPTURE(threads);
    ThreadPool pool(threads);
    REQUIRE(pool.threads() == threads);
    const ThreadPool::Use use(&pool);
    std::mt19937 random(static_cast<uint32_t>(threads));
    for (int loop = 0; loop < 400; ++loop) {
      pool.SetActive(1 + static_cast<int>(random() % static_cast<uint32_t>(threads)));
      const int count = static_cast<int>(random() % (loop % 50 == 0 ? 200000 : 60));
      // The thread that is held up, as if it had lost its processor, and the frequency.
      const int slow = static_cast<int>(random() % 8);
      const int every = 1 + static_cast<int>(random() % 40);
      std::vector<int> calls(static_cast<size_t>(count));
      ParallelFor(count, [&](int i) {
        ++calls[static_cast<size_t>(i)];
        if (loop % 4 == 0 && ThreadPool::Index() == slow && i % every == 0) {
          std::this_thread::sleep_for(microseconds(50));
        }
      });
      // Not atomic: what the threads wrote must be visible here.
      CHECK(calls == std::vector<int>(static_cast<size_t>(count), 1));
    }
  }
}

TEST_CASE(
    "a loop waits for the chunk of a thread that is held up, and the others compute the rest") {
  ThreadPool pool(3);
  const ThreadPool::Use use(&pool);
  std::mutex mutex;
  std::map<int, int> calls_of;
  std::atomic<bool> held{false};
  std::atomic<int> done{0};
  ParallelFor(240, [&](int) {
    if (!held.exchange(true)) {
      // Waits until all calls except the ten of this thread's chunk are done.
      while (done.load() < 230) std::this_thread::yield();
      const std::lock_guard lock(mutex);
      calls_of[ThreadPool::Index()] -= 1000;
    }
    ++done;
    const std::lock_guard lock(mutex);
    ++calls_of[ThreadPool::Index()];
  });
  CHECK(done == 240);
  int chunk = 0;
  for (const auto& [index, calls] : calls_of) {
    if (calls < 0) chunk = calls + 1000;
  }
  CHECK(chunk == 10);
}

TEST_CASE("a step follows the number of usable processors, also while the pool lives") {
  std::atomic<int> usable{1}, asked{0};
  ThreadPool pool(4, [&] {
    ++asked;
    return usable.load();
  });
  const auto step = [&] {
    const ThreadPool::Step use(&pool);
    std::atomic<int> sum{0};
    ParallelFor(100, [&](int i) { sum += i; });
    CHECK(sum == 4950);
  };
  step();
  CHECK(pool.active() == 1);
  const int after_one = asked;
  for (int i = 0; i < 20; ++i) step();
  CHECK(asked <= after_one + 2);  // once a second
  usable = 100;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (pool.active() == 1 && std::chrono::steady_clock::now() < until) {
    step();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(pool.active() == 4);
}

TEST_CASE("a pool sleeps once its step is over, however long it spins within one") {
  ThreadPool pool(3);
  const auto processor_time = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  std::atomic<int64_t> sum{0};
  for (int step = 0; step < 40; ++step) {
    const ThreadPool::Step use(&pool);
    for (int loop = 0; loop < 20; ++loop) {
      ParallelFor(300, [&](int i) { sum += i; });
      std::this_thread::sleep_for(microseconds(100));
    }
  }
  CHECK(sum == 40 * 20 * 44850);
  const auto before = processor_time();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CHECK(processor_time() - before < std::chrono::milliseconds(20));
}

TEST_CASE("without usable processors to follow, steps leave the number of threads as it is") {
  ThreadPool pool(3);
  pool.SetActive(2);
  const ThreadPool::Step use(&pool);
  CHECK(pool.active() == 2);
}

TEST_CASE("inactive threads compute no chunk") {
  ThreadPool pool(4);
  const ThreadPool::Use use(&pool);
  pool.SetActive(2);
  for (int loop = 0; loop < 100; ++loop) {
    std::mutex mutex;
    std::set<int> indices;
    ParallelFor(64, [&](int) {
      std::this_thread::sleep_for(microseconds(10));
      const std::lock_guard lock(mutex);
      indices.insert(ThreadPool::Index());
    });
    CHECK(*indices.rbegin() < 2);
  }
  pool.SetActive(0);
  CHECK(pool.active() == 1);
  pool.SetActive(9);
  CHECK(pool.active() == 4);
}

TEST_CASE("an exception of a chunk reaches the caller after all other chunks") {
  ThreadPool pool(3);
  const ThreadPool::Use use(&pool);
  for (int loop = 0; loop < 50; ++loop) {
    std::atomic<int> calls{0};
    CHECK_THROWS_WITH_AS(ParallelFor(24,
                                     [&](int i) {
                                       ++calls;
                                       if (i == loop % 24) throw std::runtime_error("chunk");
                                     }),
                         "chunk", std::runtime_error);
    CHECK(calls == 24);
    ParallelFor(24, [&](int) { ++calls; });
    CHECK(calls == 48);
  }
}

TEST_CASE("a loop inside a loop is refused") {
  ThreadPool pool(2);
  for (ThreadPool* used : {&pool, static_cast<ThreadPool*>(nullptr)}) {
    const ThreadPool::Use use(used);
    CHECK_THROWS_AS(ParallelFor(8, [](int) { ParallelFor(8, [](int) {}); }), std::logic_error);
    int calls = 0;
    ParallelFor(1, [&](int) { ++calls; });
    CHECK(calls == 1);
  }
}

TEST_CASE("without a pool the calling thread computes, and uses nest") {
  CHECK(ThreadPool::Current() == nullptr);
  ThreadPool outer(2), inner(3);
  {
    const ThreadPool::Use use(&outer);
    {
      const ThreadPool::Use again(&inner);
      CHECK(ThreadPool::Current() == &inner);
    }
    CHECK(ThreadPool::Current() == &outer);
  }
  const auto caller = std::this_thread::get_id();
  ParallelFor(int64_t{100}, [&](int64_t) { CHECK(std::this_thread::get_id() == caller); });
}

TEST_CASE("a pool may be used by one thread after another") {
  ThreadPool pool(3);
  int64_t sum = 0;
  for (int round = 0; round < 20; ++round) {
    std::thread([&] {
      const ThreadPool::Use use(&pool);
      std::vector<int64_t> values(1000);
      ParallelFor(1000, [&](int i) { values[static_cast<size_t>(i)] = i; });
      sum += std::accumulate(values.begin(), values.end(), int64_t{0});
    }).join();
  }
  CHECK(sum == 20 * 499500);
}

}  // namespace
}  // namespace edgegate
