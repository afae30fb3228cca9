#include "engine/base/thread_pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

// Chunks per thread. There are enough for other threads to take over most of the work of a thread
// that is held up, and so few that the cost of claiming them is small.
constexpr int64_t kChunksPerThread = 8;
constexpr int64_t kMostChunks = 0xFFFF;
// Most loops of a step follow each other within the shorter time. Within the longer one, the last
// chunk of a loop of an image encoder is done.
constexpr auto kSpinBeside = std::chrono::microseconds(20);
constexpr auto kSpinAlone = std::chrono::milliseconds(3);
// After so much time of steps, the pool looks whether other programs want its processors. They do
// where its threads waited for more than this part of the time.
constexpr auto kRunDelayPeriod = std::chrono::milliseconds(12);
constexpr double kContended = 0.03;
// Interval between reads of the number of usable processors.
constexpr auto kUsablePeriod = std::chrono::seconds(1);

thread_local ThreadPool* current = nullptr;
thread_local bool in_loop = false;
thread_local int index_in_loop = 0;

// Marks the thread as computing chunks of a loop, for the object's lifetime.
struct InLoop {
  explicit InLoop(int index) {
    in_loop = true;
    index_in_loop = index;
  }
  ~InLoop() {
    in_loop = false;
    index_in_loop = 0;
  }
  InLoop(const InLoop&) = delete;
  InLoop& operator=(const InLoop&) = delete;
};

void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));

void SleepWhile(std::atomic<uint32_t>* word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

void Wake(std::atomic<uint32_t>* word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

// Waits until the word differs from `value`. Spins first, then sets `sleeps` and sleeps. A thread
// that changes the word must then check `sleeps`. The time to spin may change during the wait.
void AwaitChange(std::atomic<uint32_t>* word, uint32_t value, std::atomic<bool>* sleeps,
                 const std::atomic<std::chrono::nanoseconds>& spin) {
  const auto began = Clock::now();
  do {
    for (int i = 0; i < 32; ++i) {
      if (word->load(std::memory_order_acquire) != value) return;
      Pause();
    }
  } while (Clock::now() - began < spin.load(std::memory_order_relaxed));
  sleeps->store(true);
  while (word->load() == value) SleepWhile(word, value);
  sleeps->store(false);
}

// The chunks of a thread that are not claimed: [next, end), of the loop with this number.
struct Range {
  uint32_t loop;
  uint16_t next, end;

  static Range Of(uint64_t word) {
    return {static_cast<uint32_t>(word >> 32), static_cast<uint16_t>(word >> 16),
            static_cast<uint16_t>(word)};
  }
  uint64_t word() const { return uint64_t{loop} << 32 | uint64_t{next} << 16 | end; }
};

}  // namespace

struct alignas(64) ThreadPool::Worker {
  std::atomic<uint32_t> loop{0};  // the last one that it is to take part in
  std::atomic<bool> sleeps{false};
  std::thread thread;
  clockid_t clock{};         // of the thread's processor time
  std::atomic<pid_t> id{0};  // of the thread, once it runs
};

struct alignas(64) ThreadPool::Share {
  std::atomic<uint64_t> range{0};
};

ThreadPool::ThreadPool(int threads, std::function<int()> usable)
    : usable_(std::move(usable)), spin_(kSpinBeside) {
  threads = std::max(1, threads);
  for (int i = 0; i < threads; ++i) shares_.push_back(std::make_unique<Share>());
  workers_.reserve(static_cast<size_t>(threads - 1));
  for (int i = 1; i < threads; ++i) {
    auto worker = std::make_unique<Worker>();
    workers_.push_back(std::move(worker));
    try {
      Worker& started = *workers_.back();
      started.thread = std::thread([this, i] { Work(i); });
      pthread_getcpuclockid(started.thread.native_handle(), &started.clock);
    } catch (const std::system_error&) {
      workers_.pop_back();
      break;
    }
  }
  for (const auto& worker : workers_) {
    worker->id.wait(0);
    run_delay_.Add(worker->id);
  }
  SetActive(usable_ ? usable_() : this->threads());
}

ThreadPool::~ThreadPool() {
  stopping_ = true;
  ++loop_;
  for (auto& worker : workers_) {
    worker->loop.store(loop_);
    Wake(&worker->loop);
    worker->thread.join();
  }
}

void ThreadPool::SetActive(int threads) { active_ = std::clamp(threads, 1, this->threads()); }

ThreadPool::Use::Use(ThreadPool* pool) : before_(current) { current = pool; }
ThreadPool::Use::~Use() { current = before_; }

ThreadPool::Step::Step(ThreadPool* pool) : use_(pool), pool_(pool) {
  if (pool == nullptr) return;
  began_ = Clock::now();
  if (pool->usable_) {
    pool->ChooseThreads(began_);
    processor_time_ = pool->ProcessorTime();
  }
  if (pool->alone_) pool->spin_ = kSpinAlone;
}

ThreadPool::Step::~Step() {
  if (pool_ == nullptr) return;
  pool_->spin_ = kSpinBeside;
  const auto wall = Clock::now() - began_;
  if (pool_->usable_) pool_->governor_.Learn(wall, pool_->ProcessorTime() - processor_time_);
  pool_->LearnWhoElseRuns(wall);
}

void ThreadPool::ChooseThreads(Clock::time_point now) {
  if (usable_asked_ == Clock::time_point() || now - usable_asked_ >= kUsablePeriod) {
    usable_asked_ = now;
    usable_now_ = usable_();
  }
  SetActive(governor_.Choose(std::clamp(usable_now_, 1, threads())));
}

// `wall`: the duration of a step. A pool that may not keep all its threads busy does not spin,
// because spinning uses up the cgroup's quota.
void ThreadPool::LearnWhoElseRuns(std::chrono::nanoseconds wall) {
  since_run_delay_ += wall;
  if (workers_.empty() || since_run_delay_ < kRunDelayPeriod) return;
  const auto steps = std::exchange(since_run_delay_, std::chrono::nanoseconds(0));
  const auto waited = run_delay_.Waited();
  const bool all = !usable_ || usable_now_ >= threads();
  alone_ = waited && all && *waited < std::chrono::duration<double>(steps) * kContended;
}

// Returns the processor time of the calling thread and of the workers.
std::chrono::nanoseconds ThreadPool::ProcessorTime() const {
  const auto of = [](clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  std::chrono::nanoseconds sum = of(CLOCK_THREAD_CPUTIME_ID);
  for (const auto& worker : workers_) sum += of(worker->clock);
  return sum;
}

ThreadPool* ThreadPool::Current() { return current; }
int ThreadPool::CurrentThreads() { return current != nullptr ? current->threads() : 1; }
int ThreadPool::Index() { return index_in_loop; }

void ThreadPool::Run(int64_t count, Chunk chunk, const void* context) {
  if (in_loop) throw std::logic_error("a parallel loop inside a parallel loop");
  if (count <= 0) return;
  if (current != nullptr && current->active() > 1 && count > 1) {
    return current->RunLoop(count, chunk, context);
  }
  const InLoop inside(0);
  chunk(context, 0, count);
}

void ThreadPool::RunLoop(int64_t count, Chunk chunk, const void* context) {
  const int active = active_;
  const int64_t most = std::min<int64_t>(kChunksPerThread * active, kMostChunks);
  const int64_t per_chunk = (count + most - 1) / most;
  const int64_t chunks = (count + per_chunk - 1) / per_chunk;
  const int threads = static_cast<int>(std::min<int64_t>(active, chunks));
  ++loop_;
  chunk_.store(chunk, std::memory_order_relaxed);
  context_.store(context, std::memory_order_relaxed);
  count_.store(count, std::memory_order_relaxed);
  per_chunk_.store(per_chunk, std::memory_order_relaxed);
  taking_part_.store(threads, std::memory_order_relaxed);
  left_.store(static_cast<uint32_t>(chunks), std::memory_order_relaxed);
  for (int t = 0; t < threads; ++t) {
    const Range range{loop_, static_cast<uint16_t>(chunks * t / threads),
                      static_cast<uint16_t>(chunks * (t + 1) / threads)};
    shares_[t]->range.store(range.word(), std::memory_order_release);
  }
  for (int t = 1; t < threads; ++t) {
    Worker& worker = *workers_[t - 1];
    worker.loop.store(loop_);
    if (worker.sleeps.load()) Wake(&worker.loop);
  }
  TakePart(0, loop_);
  AwaitChunks();
  if (failure_ == nullptr) return;
  has_failed_.clear();
  std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::Work(int index) {
  pthread_setname_np(pthread_self(), ("compute-" + std::to_string(index)).c_str());
  Worker& worker = *workers_[index - 1];
  worker.id = gettid();
  worker.id.notify_one();
  uint32_t seen = 0;
  while (true) {
    AwaitChange(&worker.loop, seen, &worker.sleeps, spin_);
    seen = worker.loop.load();
    if (stopping_) return;
    TakePart(index, seen);
  }
}

// Runs the chunks of the thread's own share, then unclaimed chunks of other threads.
void ThreadPool::TakePart(int index, uint32_t loop) {
  const InLoop inside(index);
  const int threads = taking_part_.load(std::memory_order_relaxed);
  for (int i = 0; i < threads; ++i) {
    Share* share = shares_[(index + i) % threads].get();
    while (ClaimAndRun(share, loop)) {
    }
  }
}

// False: the share has no chunk left, or the loop has ended. A late thread may read what the next
// loop has written, but then the exchange fails: a share of a loop changes with each claim, and no
// later loop begins while a claimed chunk is not done.
bool ThreadPool::ClaimAndRun(Share* share, uint32_t loop) {
  uint64_t word = share->range.load(std::memory_order_acquire);
  while (true) {
    Range range = Range::Of(word);
    if (range.loop != loop || range.next >= range.end) return false;
    const Chunk chunk = chunk_.load(std::memory_order_relaxed);
    const void* context = context_.load(std::memory_order_relaxed);
    const int64_t count = count_.load(std::memory_order_relaxed);
    const int64_t per_chunk = per_chunk_.load(std::memory_order_relaxed);
    const int64_t first = range.next * per_chunk;
    ++range.next;
    if (!share->range.compare_exchange_weak(word, range.word(), std::memory_order_acq_rel,
                                            std::memory_order_acquire)) {
      continue;
    }
    try {
      chunk(context, first, std::min(count, first + per_chunk));
    } catch (...) {
      if (!has_failed_.test_and_set()) failure_ = std::current_exception();
    }
    if (left_.fetch_sub(1) == 1 && caller_sleeps_.load()) Wake(&left_);
    return true;
  }
}

void ThreadPool::AwaitChunks() {
  while (const uint32_t left = left_.load(std::memory_order_acquire)) {
    AwaitChange(&left_, left, &caller_sleeps_, spin_);
  }
}

}  // namespace edgegate
