// Runs in a worker. Compiles one grammar, then computes the masks that the daemon requests.

#include <sys/resource.h>
#include <sys/time.h>

#include <chrono>
#include <map>

#include "server/worker/grammar_session.h"
#include "server/worker/jobs.h"
#include "server/worker/process_limits.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr uint32_t kMaxCommand = 64;
constexpr int kLowestPriority = 19;
// A grammar whose masks cost more than a tenth of a processor gets a low priority.
constexpr Milliseconds kFreeCpu{100};
constexpr int kShare = 10;

Milliseconds UsedCpu() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         Milliseconds((used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000);
}

// Computes the mask of the next token.
Status ComputeMask(TokenConstraint* constraint, std::vector<uint32_t>* mask) {
  if (constraint->Poll() != TokenConstraint::State::kReady) return constraint->error();
  mask->assign(constraint->Allowed().begin(), constraint->Allowed().end());
  return {};
}

// Returns the message with the mask of the sequence's next token, or with the error.
std::string MaskMessage(uint32_t sequence, TokenConstraint* constraint) {
  std::vector<uint32_t> mask;
  const Status status = ComputeMask(constraint, &mask);
  WireWriter message;
  message.Put(sequence).Put(status.code()).PutString(status.message()).PutVector(mask);
  return message.Take();
}

// Obeys commands until the daemon closes the socket.
void Serve(const TokenConstraint& start, int socket) {
  std::map<uint32_t, std::unique_ptr<TokenConstraint>> sequences;
  const auto began = Clock::now();
  bool low = false;
  std::string bytes;
  while (ReceiveAll(socket, kMaxCommand, &bytes)) {
    WireReader reader(bytes);
    const auto command = reader.Get<GrammarCommand>();
    const auto id = reader.Get<uint32_t>();
    const auto token = reader.Get<int32_t>();
    if (command == GrammarCommand::kStart) {
      sequences[id] = start.Clone();
    } else if (command == GrammarCommand::kDrop) {
      sequences.erase(id);
    } else if (auto found = sequences.find(id); found != sequences.end()) {
      found->second->Accept(token);
      if (!SendAll(socket, MaskMessage(id, found->second.get()))) return;
    }
    if (low || UsedCpu() < kFreeCpu + (Clock::now() - began) / kShare) continue;
    low = true;
    setpriority(PRIO_PROCESS, 0, kLowestPriority);
  }
}

}  // namespace

void ServeGrammar(const TextModel& model, WireReader* job, int socket) {
  const uint64_t before = PrivateMemory();
  GrammarSpec spec;
  spec.kind = job->Get<GrammarSpec::Kind>();
  spec.text = job->GetString();
  auto start = model.GrammarsFor(spec.kind).Start(spec);
  Status status = start.status();
  std::vector<uint32_t> mask;
  if (status.ok()) status = ComputeMask(start->get(), &mask);
  WireWriter result;
  result.Put(static_cast<int64_t>(PrivateMemory() - before) + kGrammarGrowth).PutVector(mask);
  if (!SendAll(socket, AnswerMessage(status, result)) || !status.ok()) return;
  LimitPrivateMemory(PrivateMemory() + kGrammarGrowth);
  Serve(**start, socket);
}

}  // namespace edgegate
