// The governor with a trivial model of a machine. `free` processors run no other program. Each
// thread beyond them obtains a share of a processor and makes the other threads wait.

#include "engine/base/thread_governor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace edgegate {
namespace {

using std::chrono::milliseconds;

struct Machine {
  int processors = 4;
  int free = 4;        // processors without a neighbour
  double share = 0.5;  // part of a processor that each further thread obtains
  double loss = 0;     // processor time that each further thread costs the others

  double Obtains(int threads) const {
    const int beyond = std::max(0, threads - free);
    return std::max(0.05, threads - beyond * (1 - share + loss));
  }
  int Best() const {
    int best = 1;
    for (int t = 2; t <= processors; ++t) {
      if (Obtains(t) > Obtains(best)) best = t;
    }
    return best;
  }
};

// Runs a step and returns its number of threads. `noise`: relative spread of the processors that it
// obtains.
int RunStep(const Machine& machine, ThreadGovernor* governor, std::mt19937* random,
            double noise = 0, milliseconds wall = milliseconds(20)) {
  const int threads = governor->Choose(machine.processors);
  std::uniform_real_distribution<double> spread(1 - noise, 1 + noise);
  const double obtained = machine.Obtains(threads) * spread(*random);
  governor->Learn(wall, std::chrono::duration_cast<ThreadGovernor::Duration>(wall * obtained));
  return threads;
}

// Returns the processors that the next steps obtain on average, divided by those that the best
// number of threads obtains.
double Share(const Machine& machine, ThreadGovernor* governor, std::mt19937* random, int steps) {
  double sum = 0;
  for (int i = 0; i < steps; ++i) sum += machine.Obtains(RunStep(machine, governor, random, 0.05));
  return sum / steps / machine.Obtains(machine.Best());
}

TEST_CASE("on an idle machine every step uses all threads") {
  std::mt19937 random(1);
  ThreadGovernor governor;
  for (int i = 0; i < 1000; ++i) CHECK(RunStep({4, 4}, &governor, &random, 0.05) == 4);
}

TEST_CASE("a serial part of a step leaves the number of threads as it is") {
  std::mt19937 random(1);
  ThreadGovernor governor;
  // The second of two threads is idle half of the time.
  for (int i = 0; i < 1000; ++i) CHECK(RunStep({2, 1, 0.5}, &governor, &random) == 2);
}

TEST_CASE("beside busy neighbours the thread count is near the best within 10 steps and stays") {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    Machine machine;
    machine.processors = 2 + static_cast<int>(random() % 15);
    machine.free = static_cast<int>(random() % static_cast<uint32_t>(machine.processors + 1));
    machine.share = 0.1 * static_cast<double>(random() % 8);
    machine.loss = 0.1 * static_cast<double>(random() % 5);
    CAPTURE(machine.processors);
    CAPTURE(machine.free);
    CAPTURE(machine.share);
    CAPTURE(machine.loss);
    ThreadGovernor governor;
    for (int i = 0; i < 10; ++i) RunStep(machine, &governor, &random, 0.05);
    CHECK(Share(machine, &governor, &random, 200) > 0.8);
  }
}

TEST_CASE("within 10 steps after a neighbour stops, all threads compute") {
  for (int free = 1; free < 4; ++free) {
    CAPTURE(free);
    std::mt19937 random(3);
    ThreadGovernor governor;
    const Machine crowded{4, free, 0.0, 0.3};
    for (int i = 0; i < 200; ++i) RunStep(crowded, &governor, &random, 0.02);
    const Machine empty{4, 4};
    for (int i = 0; i < 10; ++i) RunStep(empty, &governor, &random, 0.02);
    for (int i = 0; i < 100; ++i) CHECK(RunStep(empty, &governor, &random, 0.02) == 4);
  }
}

TEST_CASE("a changed limit applies from the next step") {
  std::mt19937 random(1);
  ThreadGovernor governor;
  for (const int limit : {4, 2, 3, 1, 4}) {
    CAPTURE(limit);
    for (int i = 0; i < 20; ++i) CHECK(RunStep({limit, limit}, &governor, &random) == limit);
  }
}

TEST_CASE("short steps are measured over several time slices of the kernel's scheduler") {
  std::mt19937 random(1);
  ThreadGovernor governor;
  const Machine crowded{4, 1, 0.1, 0.2};
  for (int i = 0; i < 12; ++i) {
    CHECK(RunStep(crowded, &governor, &random, 0, milliseconds(1)) == 4);
  }
  CHECK(RunStep(crowded, &governor, &random, 0, milliseconds(1)) < 4);
}

}  // namespace
}  // namespace edgegate
