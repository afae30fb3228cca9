// Threads that compete for a processor wait for it.

#include "engine/base/run_delay.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

void StayOnOneProcessor() {
  cpu_set_t all, one;
  REQUIRE(sched_getaffinity(0, sizeof all, &all) == 0);
  int first = 0;
  while (!CPU_ISSET(first, &all)) ++first;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
}

void Work(Clock::duration time) {
  const auto until = Clock::now() + time;
  while (Clock::now() < until) {
  }
}

TEST_CASE("a thread that shares its processor with another one waits for it") {
  std::atomic<pid_t> other{0};
  std::atomic<bool> done{false};
  std::thread busy([&] {
    StayOnOneProcessor();
    other = gettid();
    while (!done) {
    }
  });
  std::thread measured([&] {
    StayOnOneProcessor();
    RunDelay delay;
    CHECK_FALSE(delay.Waited());  // there is no call before
    Work(milliseconds(200));
    const auto own = delay.Waited();
    while (other == 0) std::this_thread::yield();
    delay.Add(other);
    CHECK_FALSE(delay.Waited());  // the threads are others now
    Work(milliseconds(200));
    const auto both = delay.Waited();
    if (!own || !both) {
      MESSAGE("this kernel does not count: /proc/self/task/TID/schedstat");
      return;
    }
    CHECK(*own > milliseconds(20));
    CHECK(*both > milliseconds(100));
  });
  measured.join();
  done = true;
  busy.join();
}

TEST_CASE("another calling thread begins anew, and a thread that is gone gives nothing") {
  RunDelay delay;
  delay.Waited();
  std::thread([&] { CHECK_FALSE(delay.Waited()); }).join();
  CHECK_FALSE(delay.Waited());
  delay.Add(0x7fffffff);
  delay.Waited();
  CHECK_FALSE(delay.Waited());
}

}  // namespace
}  // namespace edgegate
