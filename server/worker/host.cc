#include "server/worker/host.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <functional>
#include <new>

#include "server/worker/jobs.h"
#include "server/worker/process_limits.h"
#include "server/worker/wire.h"

namespace edgegate {
namespace {

constexpr size_t kStack = size_t{64} << 20;
constexpr uint32_t kMaxMessage = uint32_t{512} << 20;
constexpr int kWorkerSocket = 4;
// The host prepares grammars after this many milliseconds without a request for a worker, or after
// this many workers.
constexpr int kQuietMs = 3000;
constexpr int kBusyWorkers = 32;
// Largest amount of memory that a worker may keep after a job. A worker that keeps more ends.
constexpr uint64_t kKeptMemory = uint64_t{16} << 20;
// Limit of the memory for loading: this constant plus a multiple of the files' size.
constexpr uint64_t kLoadMemory = uint64_t{512} << 20;
constexpr uint64_t kLoadFactor = 32;

// Runs `work` on a thread with a large stack. The recursion of parsers is as deep as the nesting of
// their input.
void RunOnLargeStack(const std::function<void()>& work) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStack);
  auto call = [](void* argument) -> void* {
    (*static_cast<const std::function<void()>*>(argument))();
    return nullptr;
  };
  pthread_t thread{};
  void* argument = const_cast<std::function<void()>*>(&work);
  if (pthread_create(&thread, &attributes, call, argument) == 0) pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

// Receives and runs one job. False: the daemon has closed the socket, or the worker must end.
bool ServeJob(const TextModel& model, uint64_t memory_at_start) {
  std::string message;
  if (!ReceiveAll(kWorkerSocket, kMaxMessage, &message)) return false;
  WireReader job(message);
  LimitPrivateMemory(memory_at_start + job.Get<uint64_t>());
  const auto kind = job.Get<JobKind>();
  if (kind == JobKind::kGrammar) {
    ServeGrammar(model, &job, kWorkerSocket);
    return false;
  }
  WireWriter result;
  Status status;
  try {
    status = RunJob(model, kind, &job, &result);
  } catch (const std::bad_alloc&) {
    return false;
  }
  message = std::string();
  const bool sent = SendAll(kWorkerSocket, AnswerMessage(status, result));
  if (PrivateMemory() > memory_at_start + kKeptMemory) malloc_trim(0);
  return sent;
}

void RunWorker(const TextModel& model) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  OfferToOomKiller();
  const int self = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
  if (self < 0 || !SendDescriptor(kWorkerSocket, self)) return;
  close(self);
  WireWriter hello;
  hello.Put(getpid());
  if (!SendAll(kWorkerSocket, hello.Take())) return;
  RunOnLargeStack([&] {
    const uint64_t memory = PrivateMemory();
    while (ServeJob(model, memory)) {
    }
  });
}

}  // namespace

int RunModelHost() {
  syscall(SYS_close_range, kHostSocket + 1, ~0U, 0);
  // The daemon ends its hosts and workers itself. So they ignore signals that are sent to the whole
  // process group.
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) signal(number, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  SilenceErrors();
  std::string message;
  if (!ReceiveAll(kHostSocket, kMaxMessage, &message)) return 1;
  Result<TextModel> model = Internal("not loaded");
  WireWriter answer;
  LimitPrivateMemory(PrivateMemory() + kLoadMemory + kLoadFactor * message.size());
  RunOnLargeStack([&] { model = LoadTextModel(message, &answer); });
  message = std::string();
  if (!SendAll(kHostSocket, AnswerMessage(model.status(), answer)) || !model.ok()) return 1;
  bool prepared = false;
  for (int workers = 0;; ++workers) {
    // Grammars need the vocabulary in another form. Making that form takes time, so the host serves
    // the first requests after a start before it does so. A worker that needs the form earlier
    // makes its own.
    pollfd control{kHostSocket, POLLIN, 0};
    if (!prepared && (workers >= kBusyWorkers || poll(&control, 1, kQuietMs) == 0)) {
      model->grammars->Prepare();
      if (model->marked_grammars) model->marked_grammars->Prepare();
      prepared = true;
    }
    const int socket = ReceiveDescriptor(kHostSocket);
    if (socket < 0) return 0;
    const pid_t child = fork();
    if (child == 0) {
      close(kHostSocket);
      if (socket != kWorkerSocket) dup2(socket, kWorkerSocket);
      RunWorker(*model);
      _exit(0);
    }
    close(socket);
  }
}

}  // namespace edgegate
