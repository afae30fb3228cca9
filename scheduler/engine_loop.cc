#include "scheduler/engine_loop.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <thread>

#include "engine/base/bounded_queue.h"
#include "scheduler/encoder_loop.h"
#include "scheduler/generation_stream.h"
#include "scheduler/model_loop.h"
#include "scheduler/request_check.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kQueueCapacity = 65536;  // far more than the models' AdmissionLimiters admit

// Longest wait for new requests while all work waits for masks or slow readers.
constexpr auto kBlockedTurn = std::chrono::milliseconds(5);

// A model of the loop. One of the two pointers is null.
struct Member {
  std::unique_ptr<LoopMember> loop;
  ModelLoop* generator = nullptr;
  EncoderLoop* encoder = nullptr;
};

// A request for a generator or for an encoder.
struct Submission {
  size_t model;
  std::unique_ptr<SequenceGroup> group;
  std::shared_ptr<EncodeJob> job = nullptr;
};

class Handle : public GenerationHandle {
 public:
  explicit Handle(int num_sequences) : events_(std::make_shared<EventQueue>(num_sequences)) {}
  ~Handle() override { Handle::Cancel(-1); }

  // Makes the stream of the next request.
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
  std::vector<Sequence> sequences_;  // constant once the caller has the handle
};

}  // namespace

class EngineLoop::Impl {
 public:
  explicit Impl(size_t max_models) : models(max_models) {}

  // The models that were added.
  std::span<const Member> added() const { return {models.data(), num_models}; }
  int Add(Member member) EG_EXCLUDES(mutex);
  // Hands a request to the loop. kUnavailable: the loop drains. kResourceExhausted: the queue is
  // full.
  Status Push(Submission submission) EG_EXCLUDES(mutex);
  void Run();
  void Turn(bool idle);
  bool StepModels();
  void WaitWhileBlocked();
  void Publish() EG_EXCLUDES(mutex);
  void Accept(Submission submission);

  // The size is fixed. An element is written once, before `num_models` counts it.
  std::vector<Member> models;
  std::atomic<size_t> num_models{0};
  BoundedQueue<Submission> queue{kQueueCapacity};
  std::atomic<bool> draining{false};
  std::atomic<bool> cancel_all{false};
  std::atomic<bool> stopping{false};
  // Start of the running turn, as a count of the clock; 0 while the loop is idle.
  std::atomic<Clock::rep> turn_began{0};
  std::thread thread;

  mutable Mutex mutex;
  CondVar idle_changed;
  EngineSnapshot published EG_GUARDED_BY(mutex);
  bool idle_now EG_GUARDED_BY(mutex) = true;

  EngineSnapshot current;  // used by the loop's thread only
};

Status EngineLoop::Impl::Push(Submission submission) {
  {
    MutexLock lock(mutex);
    idle_now = false;
  }
  if (queue.TryPush(std::move(submission))) return {};
  if (draining) return Unavailable("the server is shutting down");
  return ResourceExhausted("the queue of requests is full");
}

int EngineLoop::Impl::Add(Member member) {
  MutexLock lock(mutex);
  const size_t index = num_models;
  if (index >= models.size()) throw std::logic_error("more models than announced");
  published.models.push_back(member.loop->snapshot());
  models[index] = std::move(member);
  num_models = index + 1;
  return static_cast<int>(index);
}

void EngineLoop::Impl::Accept(Submission submission) {
  const Member& member = models[submission.model];
  if (submission.job) {
    member.encoder->Add(std::move(submission.job));
  } else {
    member.generator->Add(std::move(submission.group));
  }
}

// One turn: takes new requests, and computes a step of every model that has work.
void EngineLoop::Impl::Turn(bool idle) {
  if (idle) {
    turn_began = 0;
    if (auto first = queue.PopUntil(Clock::time_point::max())) Accept(*std::move(first));
  }
  turn_began = Clock::now().time_since_epoch().count();
  while (auto submission = queue.TryPop()) Accept(*std::move(submission));
  if (!StepModels()) WaitWhileBlocked();
}

// False if there is work and none of it can be done now.
bool EngineLoop::Impl::StepModels() {
  bool blocked = false, computed = false;
  const auto all = added();
  for (const Member& member : all) {
    LoopMember* const model = member.loop.get();
    if (cancel_all || stopping) model->CancelAll();
    model->Sweep(Clock::now());
    if (!model->HasWork()) continue;
    const bool others_running = std::ranges::any_of(all, [&](const Member& other) {
      return other.loop.get() != model && other.loop->HasRunning();
    });
    const bool good = model->Step(others_running);
    if (model->blocked()) {
      blocked = true;
      continue;
    }
    computed = true;
    if (good) {
      current.failed_steps_in_row = 0;
    } else {
      ++current.failed_steps_in_row;
      spdlog::error("a step failed; its requests were ended");
    }
    ++current.steps;
  }
  return computed || !blocked;
}

void EngineLoop::Impl::WaitWhileBlocked() {
  const auto until = Clock::now() + kBlockedTurn;
  for (const auto& model : added()) {
    if (model.loop->WaitForMask(until)) return;
  }
  if (auto first = queue.PopUntil(until)) Accept(*std::move(first));
}

void EngineLoop::Impl::Publish() {
  current.models.clear();
  bool idle = queue.size() == 0;
  for (const auto& model : added()) {
    current.models.push_back(model.loop->snapshot());
    idle = idle && !model.loop->HasWork();
  }
  {
    MutexLock lock(mutex);
    // Models that were added meanwhile have no snapshot of the loop yet.
    for (size_t i = current.models.size(); i < published.models.size(); ++i) {
      current.models.push_back(published.models[i]);
    }
    published = current;
    idle_now = idle;
  }
  if (idle) idle_changed.NotifyAll();
}

void EngineLoop::Impl::Run() {
  bool idle = true;
  turn_began = Clock::now().time_since_epoch().count();
  while (!stopping) {
    Turn(idle);
    Publish();
    MutexLock lock(mutex);
    idle = idle_now;
  }
  Turn(false);  // cancels the requests that are left
  Publish();
  turn_began = 0;
}

EngineLoop::EngineLoop(int models) : impl_(std::make_unique<Impl>(static_cast<size_t>(models))) {}

EngineLoop::~EngineLoop() {
  impl_->draining = true;
  impl_->stopping = true;
  impl_->queue.Close();
  if (impl_->thread.joinable()) impl_->thread.join();
}

int EngineLoop::AddModel(std::unique_ptr<ModelRunner> runner, const SchedulerSettings& settings,
                         std::vector<bool> valid_tokens, std::unique_ptr<ModelRunner> draft,
                         std::function<Status()> check_weights) {
  auto model = std::make_unique<ModelLoop>(std::move(runner), settings, std::move(valid_tokens),
                                           std::move(draft), std::move(check_weights));
  Member member{nullptr, model.get(), nullptr};
  member.loop = std::move(model);
  return impl_->Add(std::move(member));
}

int EngineLoop::AddEncoder(std::unique_ptr<TextEncoder> encoder,
                           std::function<Status()> check_weights) {
  auto model = std::make_unique<EncoderLoop>(std::move(encoder), std::move(check_weights));
  Member member{nullptr, nullptr, model.get()};
  member.loop = std::move(model);
  return impl_->Add(std::move(member));
}

void EngineLoop::Start() {
  impl_->Publish();
  impl_->thread = std::thread([this] { impl_->Run(); });
}

Status EngineLoop::CheckAdmission(int model, const std::string& client, int sequences) const {
  if (impl_->draining) return Unavailable("the server is shutting down");
  const LoopMember& loop = *impl_->models[static_cast<size_t>(model)].loop;
  EG_RETURN_IF_ERROR(loop.failure());
  return loop.limiter()->Enter(client, sequences).status();
}

Result<std::unique_ptr<GenerationHandle>> EngineLoop::Submit(int model, GenerationRequest request) {
  std::vector<GenerationRequest> one;
  one.push_back(std::move(request));
  return Submit(model, std::move(one));
}

Result<std::unique_ptr<GenerationHandle>> EngineLoop::Submit(
    int model, std::vector<GenerationRequest> requests) {
  if (impl_->draining) return Unavailable("the server is shutting down");
  const Member& member = impl_->models[static_cast<size_t>(model)];
  if (member.generator == nullptr) return InvalidArgument("the model generates no text");
  ModelLoop& loop = *member.generator;
  EG_RETURN_IF_ERROR(loop.failure());
  int sequences = 0;
  for (const GenerationRequest& request : requests) {
    EG_RETURN_IF_ERROR(CheckRequest(request, loop.limits()));
    sequences += request.num_sequences;
  }
  std::vector<AdmissionTicket> tickets;
  for (const GenerationRequest& request : requests) {
    EG_ASSIGN_OR_RETURN(AdmissionTicket ticket,
                        loop.limiter()->Enter(request.client, request.num_sequences));
    tickets.push_back(std::move(ticket));
  }
  auto handle = std::make_unique<Handle>(sequences);
  std::vector<std::unique_ptr<SequenceGroup>> groups;
  for (size_t i = 0; i < requests.size(); ++i) {
    auto stream = handle->AddStream(requests[i].num_sequences);
    groups.push_back(
        MakeSequenceGroup(std::move(requests[i]), std::move(stream), Clock::now(), loop.limits()));
    groups.back()->ticket = std::move(tickets[i]);
  }
  for (auto& group : groups) {
    EG_RETURN_IF_ERROR(impl_->Push({static_cast<size_t>(model), std::move(group)}));
  }
  return std::unique_ptr<GenerationHandle>(std::move(handle));
}

Result<std::unique_ptr<EncodeHandle>> EngineLoop::SubmitTexts(int model, EncodeRequest request) {
  if (impl_->draining) return Unavailable("the server is shutting down");
  const Member& member = impl_->models[static_cast<size_t>(model)];
  if (member.encoder == nullptr) return InvalidArgument("the model computes no embeddings");
  EncoderLoop& loop = *member.encoder;
  EG_RETURN_IF_ERROR(loop.failure());
  EG_RETURN_IF_ERROR(loop.Check(request));
  EG_ASSIGN_OR_RETURN(
      AdmissionTicket ticket,
      loop.limiter()->Enter(request.client, static_cast<int>(request.texts.size())));
  auto job =
      std::make_shared<EncodeJob>(std::move(request), std::move(ticket), loop.limits().width);
  auto handle = std::make_unique<EncodeHandle>(job);
  EG_RETURN_IF_ERROR(impl_->Push({static_cast<size_t>(model), nullptr, std::move(job)}));
  return handle;
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
  EngineSnapshot snapshot;
  {
    MutexLock lock(impl_->mutex);
    snapshot = impl_->published;
  }
  const auto began = impl_->turn_began.load();
  if (began != 0) snapshot.turn = Clock::now() - Clock::time_point(Clock::duration(began));
  return snapshot;
}

}  // namespace edgegate
