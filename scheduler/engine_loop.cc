#include "scheduler/engine_loop.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

#include "engine/base/bounded_queue.h"
#include "scheduler/generation_stream.h"
#include "scheduler/model_loop.h"

namespace edgegate {
namespace {

constexpr size_t kQueueCapacity = 1024;
constexpr auto kIdleTurn = std::chrono::seconds(1);

struct Submission {
  size_t model;
  GenerationRequest request;
  std::shared_ptr<GenerationStream> stream;
  Clock::time_point submitted;
};

class Handle : public GenerationHandle {
 public:
  explicit Handle(int num_sequences) : events_(std::make_shared<EventQueue>(num_sequences)) {}
  ~Handle() override { Handle::Cancel(-1); }

  // The next request's.
  std::shared_ptr<GenerationStream> AddStream(int num_sequences) {
    auto stream = std::make_shared<GenerationStream>(events_, static_cast<int>(sequences_.size()));
    for (int i = 0; i < num_sequences; ++i) sequences_.push_back({stream, i});
    return stream;
  }

  std::optional<TokenEvent> Next(Clock::time_point deadline) override {
    return events_->Next(deadline);
  }
  void Cancel(int index) override {
    if (index < 0) {
      for (const Sequence& s : sequences_) s.stream->RequestCancel(-1);
    } else {
      const Sequence& s = sequences_[static_cast<size_t>(index)];
      s.stream->RequestCancel(s.index);
    }
  }

 private:
  struct Sequence {
    std::shared_ptr<GenerationStream> stream;
    int index;  // in its request
  };

  const std::shared_ptr<EventQueue> events_;
  std::vector<Sequence> sequences_;  // fixed once the caller has the handle
};

}  // namespace

class EngineLoop::Impl {
 public:
  struct Model {
    std::unique_ptr<ModelLoop> loop;
    int max_waiting;
    std::atomic<int> waiting{0};  // submitted and not scheduled yet, as of the last turn
  };

  void Run();
  void Turn(bool idle);
  void Publish() EG_EXCLUDES(mutex);
  void Accept(Submission submission);

  // The vector is fixed before the thread starts.
  std::vector<std::unique_ptr<Model>> models;
  BoundedQueue<Submission> queue{kQueueCapacity};
  std::atomic<bool> draining{false};
  std::atomic<bool> cancel_all{false};
  std::atomic<bool> stopping{false};
  std::thread thread;

  mutable Mutex mutex;
  CondVar idle_changed;
  EngineSnapshot published EG_GUARDED_BY(mutex);
  bool idle_now EG_GUARDED_BY(mutex) = true;

  EngineSnapshot current;  // the loop's thread only
};

void EngineLoop::Impl::Accept(Submission submission) {
  models[submission.model]->loop->Add(std::move(submission.request), std::move(submission.stream),
                                      submission.submitted);
}

// One turn: new requests in, what ended out, a step of every model that has work.
void EngineLoop::Impl::Turn(bool idle) {
  if (idle) {
    if (auto first = queue.PopUntil(Clock::now() + kIdleTurn)) Accept(*std::move(first));
  }
  while (auto submission = queue.TryPop()) Accept(*std::move(submission));
  for (auto& model : models) {
    if (cancel_all || stopping) model->loop->CancelAll();
    model->loop->Sweep(Clock::now());
    if (!model->loop->HasWork()) continue;
    const bool others_running = std::any_of(models.begin(), models.end(), [&](const auto& other) {
      return other != model && other->loop->HasRunning();
    });
    if (model->loop->Step(others_running)) {
      current.failed_steps_in_row = 0;
    } else {
      ++current.failed_steps_in_row;
      spdlog::error("a step failed; its requests were ended");
    }
    ++current.steps;
  }
  ++current.heartbeat;
}

void EngineLoop::Impl::Publish() {
  current.models.clear();
  bool idle = queue.size() == 0;
  for (auto& model : models) {
    current.models.push_back(model->loop->snapshot());
    model->waiting = current.models.back().waiting;
    idle = idle && !model->loop->HasWork();
  }
  {
    MutexLock lock(mutex);
    published = current;
    idle_now = idle;
  }
  if (idle) idle_changed.NotifyAll();
}

void EngineLoop::Impl::Run() {
  bool idle = true;
  while (!stopping) {
    Turn(idle);
    Publish();
    MutexLock lock(mutex);
    idle = idle_now;
  }
  Turn(false);  // ends what is still there
  Publish();
}

EngineLoop::EngineLoop() : impl_(std::make_unique<Impl>()) {}

EngineLoop::~EngineLoop() {
  impl_->draining = true;
  impl_->stopping = true;
  impl_->queue.Close();
  if (impl_->thread.joinable()) impl_->thread.join();
}

int EngineLoop::AddModel(std::unique_ptr<ModelRunner> runner, SchedulerLimits limits,
                         std::vector<bool> valid_tokens, std::unique_ptr<ModelRunner> draft) {
  auto model = std::make_unique<Impl::Model>();
  model->loop = std::make_unique<ModelLoop>(std::move(runner), limits, std::move(valid_tokens),
                                            std::move(draft));
  model->max_waiting = limits.max_waiting;
  impl_->models.push_back(std::move(model));
  return static_cast<int>(impl_->models.size()) - 1;
}

void EngineLoop::Start() {
  impl_->Publish();
  impl_->thread = std::thread([this] { impl_->Run(); });
}

Result<std::unique_ptr<GenerationHandle>> EngineLoop::Submit(int model, GenerationRequest request) {
  std::vector<GenerationRequest> one;
  one.push_back(std::move(request));
  return Submit(model, std::move(one));
}

Result<std::unique_ptr<GenerationHandle>> EngineLoop::Submit(
    int model, std::vector<GenerationRequest> requests) {
  if (impl_->draining) return Unavailable("the server is shutting down");
  Impl::Model& target = *impl_->models[static_cast<size_t>(model)];
  int sequences = 0;
  for (const GenerationRequest& request : requests) {
    EG_RETURN_IF_ERROR(target.loop->Check(request));
    sequences += request.num_sequences;
  }
  if (target.waiting.fetch_add(sequences) + sequences > target.max_waiting) {
    target.waiting.fetch_sub(sequences);
    return ResourceExhausted("{} sequences are waiting already", target.max_waiting);
  }
  auto handle = std::make_unique<Handle>(sequences);
  {
    MutexLock lock(impl_->mutex);
    impl_->idle_now = false;
  }
  for (GenerationRequest& request : requests) {
    auto stream = handle->AddStream(request.num_sequences);
    if (!impl_->queue.TryPush(
            {static_cast<size_t>(model), std::move(request), std::move(stream), Clock::now()})) {
      if (impl_->draining) return Unavailable("the server is shutting down");
      return ResourceExhausted("the queue of requests is full");
    }
  }
  return std::unique_ptr<GenerationHandle>(std::move(handle));
}

void EngineLoop::Drain(std::chrono::steady_clock::time_point deadline) {
  impl_->draining = true;
  if (!impl_->thread.joinable()) return;
  MutexLock lock(impl_->mutex);
  while (!impl_->idle_now) {
    if (!impl_->idle_changed.WaitUntil(impl_->mutex, deadline) && Clock::now() >= deadline) break;
  }
  impl_->cancel_all = true;
  while (!impl_->idle_now) impl_->idle_changed.Wait(impl_->mutex);
}

EngineSnapshot EngineLoop::snapshot() const {
  MutexLock lock(impl_->mutex);
  return impl_->published;
}

}  // namespace edgegate
