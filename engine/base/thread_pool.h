// Threads that compute parallel loops, for a machine that other programs use too.
//
// A loop is cut into chunks. Each thread has a share of consecutive chunks. So the same thread
// finds the same data in its caches in each loop. A thread that has finished its share takes chunks
// of the others. A loop ends when its chunks are done. It does not wait for threads without a
// chunk. A thread that lost its processor delays at most one chunk.
//
// A thread that waits spins for 20 microseconds and then sleeps on a futex, so that an idle pool
// takes no processor time. Within a step it spins for 3 milliseconds while no other program wants
// its processors (RunDelay). A thread that sleeps may wake late, above all in a virtual machine.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

#include "engine/base/run_delay.h"
#include "engine/base/thread_governor.h"

namespace edgegate {

class ThreadPool {
 public:
  // Computes with `threads` threads (at least one): the one that calls and `threads` - 1 that are
  // started here. There are fewer where the system refuses to start one. `usable` says how many
  // processors this process may keep busy now; a Step then asks it, at most once a second, and
  // chooses its number of threads (ThreadGovernor). Empty: SetActive() says how many.
  explicit ThreadPool(int threads, std::function<int()> usable = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Sets the number of threads of the next loops, from 1 to threads(). It changes no result.
  // Thread-safe.
  void SetActive(int threads);
  int active() const { return active_; }

  // During its lifetime, ParallelFor() of this thread uses the pool. One thread at a time may use a
  // pool.
  class Use {
   public:
    explicit Use(ThreadPool* pool);  // null: ParallelFor() computes on the calling thread
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    ThreadPool* const before_;
  };

  // A Use for one step of a model, for which the pool chooses the number of threads and how long
  // they spin. It changes no result.
  class Step {
   public:
    explicit Step(ThreadPool* pool);  // null: as Use
    ~Step();
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    const Use use_;
    ThreadPool* const pool_;
    std::chrono::steady_clock::time_point began_;
    std::chrono::nanoseconds processor_time_{0};  // of all threads, as of then
  };

  // The pool that the calling thread uses, or null.
  static ThreadPool* Current();
  // threads() of that pool; 1 where there is none.
  static int CurrentThreads();
  // The number of the calling thread in its loop: below CurrentThreads(). 0 outside loops.
  static int Index();

 private:
  template <typename Index, typename Body>
  friend void ParallelFor(Index count, const Body& body);

  // Calls chunk(context, first, end) once for each of several ranges that together are [0, count).
  using Chunk = void (*)(const void* context, int64_t first, int64_t end);
  static void Run(int64_t count, Chunk chunk, const void* context);

  struct Worker;
  struct Share;
  void RunLoop(int64_t count, Chunk chunk, const void* context);
  void Work(int index);
  void TakePart(int index, uint32_t loop);
  bool ClaimAndRun(Share* share, uint32_t loop);
  void AwaitChunks();
  void ChooseThreads(std::chrono::steady_clock::time_point now);
  void LearnWhoElseRuns(std::chrono::nanoseconds wall);
  std::chrono::nanoseconds ProcessorTime() const;

  const std::function<int()> usable_;
  std::chrono::steady_clock::time_point usable_asked_;
  int usable_now_ = 1;
  ThreadGovernor governor_;

  RunDelay run_delay_;                           // of the workers
  std::chrono::nanoseconds since_run_delay_{0};  // duration of the steps since it was read
  bool alone_ = false;                           // no other program wants the processors
  std::atomic<std::chrono::nanoseconds> spin_;

  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Share>> shares_;  // one for each thread
  std::atomic<int> active_{1};
  uint32_t loop_ = 0;  // its number, from 1

  // State of the current loop. Late threads may read it: see ClaimAndRun().
  std::atomic<Chunk> chunk_{nullptr};
  std::atomic<const void*> context_{nullptr};
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> per_chunk_{1};
  std::atomic<int> taking_part_{1};

  alignas(64) std::atomic<uint32_t> left_{0};  // chunks that are not done
  std::atomic<bool> caller_sleeps_{false};
  std::atomic_flag has_failed_;
  std::exception_ptr failure_;  // what a chunk threw
  std::atomic<bool> stopping_{false};
};

// Calls body(i) once for each i in [0, count), of the type Index, an integer, on the threads of the
// pool that the calling thread uses. The order and the thread of a call are not defined. An
// exception of a call is thrown here, and the later calls of its chunk are left out. A loop inside
// a loop throws std::logic_error.
template <typename Index, typename Body>
void ParallelFor(Index count, const Body& body) {
  ThreadPool::Run(
      count,
      [](const void* context, int64_t first, int64_t end) {
        const Body& each = *static_cast<const Body*>(context);
        for (int64_t i = first; i < end; ++i) each(static_cast<Index>(i));
      },
      &body);
}

}  // namespace edgegate
