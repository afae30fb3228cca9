// Runs the parallel loops of a decoding step on one thread pool, ours or another one. Each loop
// reads weights of its own and depends on the loop before it. Prints the durations and costs of the
// steps as JSON. pools.py compares pools. CMake uses the libraries that are installed. By hand:
//   g++ -std=c++20 -O3 -march=native -fopenmp -I. -DPOOLS_PTHREADPOOL -DPOOLS_TBB
//     tests/bench/pools.cc engine/base/thread_pool.cc -lpthreadpool -ltbb -o pools
// usage: pools POOL K BLOCKS SECONDS: loops of BLOCKS times 64 columns of K bytes each; K 0: lets
// the pool rest after some loops. Without arguments it names its pools.

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <string_view>
#include <thread>
#include <vector>

#ifdef POOLS_PTHREADPOOL
#include <pthreadpool.h>
#endif
#ifdef POOLS_TBB
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>
#endif

#include "engine/base/thread_pool.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;
using Body = std::function<void(int64_t block)>;

constexpr int kThreads = 2;
constexpr int64_t kLoops = 150;  // of a step
constexpr int64_t kColumns = 64;
constexpr int64_t kPastCaches = int64_t{512} << 20;  // bytes of weights to go round, at most
constexpr double kWarmUpSeconds = 0.1;

// Returns the chunk size for other pools, so that they make as many chunks as ours.
int64_t Grain(int64_t count) { return (count + 8 * kThreads - 1) / (8 * kThreads); }

class Pool {
 public:
  Pool() = default;
  virtual ~Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  virtual void Loop(int64_t count, const Body& body) = 0;
  // Calls step() and runs its loops on this pool.
  virtual void Step(const std::function<void()>& step) { step(); }
};

class OwnPool : public Pool {
 public:
  void Loop(int64_t count, const Body& body) override { ParallelFor(count, body); }

 private:
  ThreadPool pool_{kThreads};
  ThreadPool::Use use_{&pool_};
};

#ifdef POOLS_PTHREADPOOL
class PthreadPool : public Pool {
 public:
  explicit PthreadPool(uint32_t flags) : flags_(flags) {}
  ~PthreadPool() override { pthreadpool_destroy(pool_); }

  void Loop(int64_t count, const Body& body) override {
    const auto chunk = [](void* context, size_t first, size_t size) {
      const Body& each = *static_cast<const Body*>(context);
      for (size_t i = first; i < first + size; ++i) each(static_cast<int64_t>(i));
    };
    pthreadpool_parallelize_1d_tile_1d(pool_, chunk, const_cast<Body*>(&body),
                                       static_cast<size_t>(count),
                                       static_cast<size_t>(Grain(count)), flags_);
  }

 private:
  const uint32_t flags_;
  const pthreadpool_t pool_ = pthreadpool_create(kThreads);
};
#endif

#ifdef POOLS_TBB
template <typename Partitioner>
class TbbPool : public Pool {
 public:
  void Loop(int64_t count, const Body& body) override {
    tbb::parallel_for(
        tbb::blocked_range<int64_t>(0, count, Grain(count)),
        [&](const tbb::blocked_range<int64_t>& range) {
          for (int64_t i = range.begin(); i < range.end(); ++i) body(i);
        },
        partitioner_);
  }
  void Step(const std::function<void()>& step) override { arena_.execute(step); }

 private:
  tbb::task_arena arena_{kThreads};
  Partitioner partitioner_;
};
#endif

#ifdef _OPENMP
template <bool kDynamic>
class OmpPool : public Pool {
 public:
  void Loop(int64_t count, const Body& body) override {
    if constexpr (kDynamic) {
#pragma omp parallel for num_threads(kThreads) schedule(dynamic, Grain(count))
      for (int64_t i = 0; i < count; ++i) body(i);
    } else {
#pragma omp parallel for num_threads(kThreads) schedule(static)
      for (int64_t i = 0; i < count; ++i) body(i);
    }
  }
};
#endif

struct Candidate {
  const char* name;
  std::unique_ptr<Pool> (*make)();
};
constexpr Candidate kCandidates[] = {
    {"own", [] { return std::unique_ptr<Pool>(new OwnPool); }},
#ifdef POOLS_PTHREADPOOL
    {"pthreadpool", [] { return std::unique_ptr<Pool>(new PthreadPool(0)); }},
    {"pthreadpool-yield",
     [] { return std::unique_ptr<Pool>(new PthreadPool(PTHREADPOOL_FLAG_YIELD_WORKERS)); }},
#endif
#ifdef POOLS_TBB
    {"tbb-auto", [] { return std::unique_ptr<Pool>(new TbbPool<tbb::auto_partitioner>); }},
    {"tbb-static", [] { return std::unique_ptr<Pool>(new TbbPool<tbb::static_partitioner>); }},
    {"tbb-affinity", [] { return std::unique_ptr<Pool>(new TbbPool<tbb::affinity_partitioner>); }},
#endif
#ifdef _OPENMP
    {"omp-dynamic", [] { return std::unique_ptr<Pool>(new OmpPool<true>); }},
    {"omp-static", [] { return std::unique_ptr<Pool>(new OmpPool<false>); }},
#endif
};

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

// Processor time that this process has used.
struct Used {
  double cpu_s, switches;

  static Used Now() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return {seconds(usage.ru_utime) + seconds(usage.ru_stime),
            static_cast<double>(usage.ru_nvcsw + usage.ru_nivcsw)};
  }
};

class Model {
 public:
  Model(int64_t k, int64_t blocks, Pool* pool)
      : k_(k),
        blocks_(blocks),
        matrices_(std::clamp<int64_t>(kPastCaches / matrix_bytes(), 1, kLoops)),
        pool_(pool),
        input_(static_cast<size_t>(k), 1),
        output_(static_cast<size_t>(blocks * kColumns)) {
    const auto bytes = static_cast<size_t>(matrices_ * matrix_bytes());
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    madvise(memory, bytes, MADV_HUGEPAGE);
    std::memset(memory, 3, bytes);
    weights_ = static_cast<const int8_t*>(memory);  // until the process ends
  }

  void Step() {
    pool_->Step([this] {
      for (int64_t loop = 0; loop < kLoops; ++loop) {
        const int8_t* weights = weights_ + loop % matrices_ * matrix_bytes();
        pool_->Loop(blocks_, [this, weights](int64_t block) { Multiply(weights, block); });
        for (size_t i = 0; i < input_.size(); ++i) {
          input_[i] = static_cast<uint8_t>(output_[i % output_.size()] & 127);
        }
      }
    });
  }

 private:
  void Multiply(const int8_t* weights, int64_t block) {
    const uint8_t* input = input_.data();
    for (int64_t c = block * kColumns; c < (block + 1) * kColumns; ++c) {
      const int8_t* column = weights + c * k_;
      int32_t sum = 0;
      for (int64_t i = 0; i < k_; ++i) sum += int32_t{input[i]} * int32_t{column[i]};
      output_[static_cast<size_t>(c)] = sum;
    }
  }

  int64_t matrix_bytes() const { return k_ * kColumns * blocks_; }

  const int64_t k_, blocks_, matrices_;
  const int8_t* weights_ = nullptr;
  Pool* const pool_;
  std::vector<uint8_t> input_;
  std::vector<int32_t> output_;
};

void Print(const Used& before, const Used& after, const std::vector<double>& step_s) {
  std::printf("{\"cpu_s\": %.6f, \"switches\": %.0f, \"step_s\": [", after.cpu_s - before.cpu_s,
              after.switches - before.switches);
  for (size_t i = 0; i < step_s.size(); ++i) std::printf("%s%.7f", i > 0 ? ", " : "", step_s[i]);
  std::printf("]}\n");
}

void MeasureSteps(double seconds, Model* model) {
  const auto begin = Clock::now();
  do {
    model->Step();
  } while (Seconds(Clock::now() - begin) < kWarmUpSeconds);
  const Used before = Used::Now();
  std::vector<double> step_s;
  const auto start = Clock::now();
  for (auto last = start; Seconds(last - start) < seconds;) {
    model->Step();
    const auto now = Clock::now();
    step_s.push_back(Seconds(now - last));
    last = now;
  }
  Print(before, Used::Now(), step_s);
}

void MeasureRest(double seconds, Model* model) {
  for (int i = 0; i < 20; ++i) model->Step();
  const Used before = Used::Now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  Print(before, Used::Now(), {});
}

int Measure(int argc, char** argv) {
  if (argc != 5) {
    for (const Candidate& candidate : kCandidates) std::printf("%s\n", candidate.name);
    return argc == 1 ? 0 : 2;
  }
  const auto* candidate =
      std::find_if(std::begin(kCandidates), std::end(kCandidates),
                   [&](const Candidate& each) { return std::string_view(argv[1]) == each.name; });
  if (candidate == std::end(kCandidates)) return 2;
  const int64_t k = std::atoll(argv[2]);
  const double seconds = std::atof(argv[4]);
  const auto pool = candidate->make();
  Model model(k > 0 ? k : 576, std::atoll(argv[3]), pool.get());
  if (k > 0) {
    MeasureSteps(seconds, &model);
  } else {
    MeasureRest(seconds, &model);
  }
  return 0;
}

}  // namespace
}  // namespace edgegate

int main(int argc, char** argv) { return edgegate::Measure(argc, argv); }
