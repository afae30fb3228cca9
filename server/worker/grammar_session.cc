#include "server/worker/grammar_session.h"

#include <map>

#include "server/worker/jobs.h"
#include "server/worker/wire.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kMaskCpu = std::chrono::milliseconds(500);
constexpr auto kMaskWall = std::chrono::seconds(4);
constexpr auto kLookEvery =
    std::chrono::milliseconds(20);  // interval of checks of the worker's processor time

class GrammarConstraint;

// State that all sequences of a request share. Used by the engine's thread only. Any thread may
// destroy it.
struct Session {
  std::unique_ptr<WorkerProcess> worker;
  std::vector<uint32_t> first_mask;
  MemoryBudget::Lease lease;
  uint32_t next_id = 0;
  std::map<uint32_t, GrammarConstraint*> sequences;

  void Pump();
  void FailAll(const Status& status);
};

class GrammarConstraint : public TokenConstraint {
 public:
  explicit GrammarConstraint(std::shared_ptr<Session> session)
      : session_(std::move(session)), id_(session_->next_id++), mask_(session_->first_mask) {
    session_->sequences[id_] = this;
  }
  ~GrammarConstraint() override {
    session_->sequences.erase(id_);
    Tell(GrammarCommand::kDrop, 0);
  }
  GrammarConstraint(const GrammarConstraint&) = delete;
  GrammarConstraint& operator=(const GrammarConstraint&) = delete;

  // Tells the worker that this sequence has started.
  void Start() {
    if (!Tell(GrammarCommand::kStart, 0)) Fail(Stopped());
  }

  // Never called: only a GrammarStart is cloned.
  std::unique_ptr<TokenConstraint> Clone() const override { return nullptr; }

  State Poll() override {
    if (state_ == State::kComputing) session_->Pump();
    if (state_ == State::kComputing) CheckTime();
    return state_;
  }

  State Wait(TimePoint deadline) override {
    while (Poll() == State::kComputing && Clock::now() < deadline) {
      session_->worker->WaitForData(std::min(deadline, Clock::now() + kLookEvery));
    }
    return state_;
  }

  std::span<const uint32_t> Allowed() const override { return mask_; }

  void Accept(int32_t token) override {
    state_ = State::kComputing;
    asked_ = Clock::now();
    looked_ = asked_;
    cpu_asked_ = {};
    if (!Tell(GrammarCommand::kAccept, token)) Fail(Stopped());
  }

  Status error() const override { return error_; }

  void Receive(Status status, std::vector<uint32_t> mask) {
    if (!status.ok()) return Fail(std::move(status));
    mask_ = std::move(mask);
    state_ = State::kReady;
  }
  void Fail(Status status) {
    if (state_ == State::kFailed) return;
    error_ = std::move(status);
    state_ = State::kFailed;
  }

  static Status Stopped() {
    return InvalidArgument("the output's grammar needs more memory than {} MiB while it runs",
                           kGrammarGrowth >> 20);
  }

 private:
  bool Tell(GrammarCommand command, int32_t token) const {
    WireWriter message;
    message.Put(command).Put(id_).Put(token);
    return session_->worker->Post(message.Take());
  }

  // Checks at intervals whether the mask exceeds its limits. The first check only reads the clock.
  void CheckTime() {
    const auto now = Clock::now();
    if (now - looked_ < kLookEvery) return;
    looked_ = now;
    const auto cpu = session_->worker->cpu();
    if (cpu_asked_ == std::chrono::nanoseconds(0)) cpu_asked_ = cpu;
    Status status;
    if (cpu - cpu_asked_ > kMaskCpu) {
      status = InvalidArgument(
          "the output's grammar takes more than {} ms of processor time for one token",
          kMaskCpu.count());
    } else if (now - asked_ > kMaskWall) {
      status = Unavailable("the output's grammar got no processor for {} s", kMaskWall.count());
    }
    if (status.ok()) return;
    session_->worker->Kill();
    session_->FailAll(status);
  }

  const std::shared_ptr<Session> session_;
  const uint32_t id_;
  State state_ = State::kReady;
  std::vector<uint32_t> mask_;
  Status error_;
  Clock::time_point asked_, looked_;
  std::chrono::nanoseconds cpu_asked_{};
};

// The start of the grammar. May be destroyed by any thread.
class GrammarStart : public TokenConstraint {
 public:
  explicit GrammarStart(std::shared_ptr<Session> session) : session_(std::move(session)) {}

  std::unique_ptr<TokenConstraint> Clone() const override {
    auto sequence = std::make_unique<GrammarConstraint>(session_);
    sequence->Start();
    return sequence;
  }
  State Poll() override { return State::kReady; }
  State Wait(TimePoint) override { return State::kReady; }
  std::span<const uint32_t> Allowed() const override { return session_->first_mask; }
  // Never called: no sequence uses this object itself.
  void Accept(int32_t) override {}
  Status error() const override { return {}; }

 private:
  const std::shared_ptr<Session> session_;
};

// Receives the worker's answers and gives each to its sequence.
void Session::Pump() {
  while (true) {
    auto message = worker->TryReceive();
    if (!message.ok()) {
      if (message.status().code() != StatusCode::kUnavailable) {
        FailAll(GrammarConstraint::Stopped());
      }
      return;
    }
    WireReader reader(*message);
    const auto id = reader.Get<uint32_t>();
    const auto code = reader.Get<StatusCode>();
    std::string text(reader.GetString());
    auto mask = reader.GetVector<uint32_t>();
    const auto sequence = sequences.find(id);
    if (sequence == sequences.end()) continue;  // it has ended
    const bool valid = reader.ok() && mask.size() == first_mask.size();
    Status status = code == StatusCode::kOk ? Status() : InvalidArgument("{}", text);
    if (status.ok() && !valid) status = Internal("a worker's mask is malformed");
    sequence->second->Receive(std::move(status), std::move(mask));
  }
}

void Session::FailAll(const Status& status) {
  for (auto& [id, sequence] : sequences) sequence->Fail(status);
}

}  // namespace

std::unique_ptr<TokenConstraint> MakeGrammarConstraint(std::unique_ptr<WorkerProcess> worker,
                                                       std::vector<uint32_t> mask,
                                                       MemoryBudget::Lease lease) {
  auto session = std::make_shared<Session>();
  session->worker = std::move(worker);
  session->first_mask = std::move(mask);
  session->lease = std::move(lease);
  return std::make_unique<GrammarStart>(std::move(session));
}

}  // namespace edgegate
