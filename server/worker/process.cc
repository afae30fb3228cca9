#include "server/worker/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "server/worker/host.h"
#include "server/worker/wire.h"

extern char** environ;

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kCheckEvery = std::chrono::milliseconds(10);
constexpr auto kQuickJob = std::chrono::milliseconds(50);  // longer ones get a low priority
constexpr int kLowPriority = 10;
constexpr uint32_t kMaxAnswer = uint32_t{64} << 20;
constexpr auto kLoadTime = std::chrono::seconds(120);
constexpr auto kForkTime = std::chrono::seconds(5);

std::string program = "/proc/self/exe";

// True if `fd` becomes ready for `events`, or is broken, within `wait`.
bool Ready(int fd, short events, Clock::duration wait) {
  pollfd one{fd, events, 0};
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
  return ::poll(&one, 1, static_cast<int>(std::max<int64_t>(ms, 0))) > 0;
}

void SetReceiveTimeout(int fd, std::chrono::seconds time) {
  const timeval value{static_cast<time_t>(time.count()), 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
}

Status NoProcess(int error) {
  return Unavailable("no worker process can be started now: {}", std::strerror(error));
}

}  // namespace

OwnedFd::~OwnedFd() { Close(); }

void OwnedFd::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

WorkerProcess::WorkerProcess(OwnedFd socket, OwnedFd process, pid_t pid)
    : socket_(std::move(socket)), process_(std::move(process)), pid_(pid) {
  if (::clock_getcpuclockid(pid_, &cpu_clock_) != 0) cpu_clock_ = CLOCK_REALTIME;
}

WorkerProcess::~WorkerProcess() { Kill(); }

void WorkerProcess::Kill() {
  dead_ = true;
  ::syscall(SYS_pidfd_send_signal, process_.get(), SIGKILL, nullptr, 0);
}

std::chrono::nanoseconds WorkerProcess::cpu() const {
  timespec time{};
  if (::clock_gettime(cpu_clock_, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void WorkerProcess::Demote() {
  if (demoted_) return;
  demoted_ = true;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid_), kLowPriority);
}

Status WorkerProcess::CheckLimits(const JobLimits& limits, Clock::time_point began,
                                  std::chrono::nanoseconds cpu_before) {
  const auto used = cpu() - cpu_before;
  if (used > limits.cpu) {
    return InvalidArgument("it takes more than {} ms of processor time ({})", limits.cpu.count(),
                           limits.cpu_setting);
  }
  if (Clock::now() - began > limits.wall) {
    return Unavailable("reading the request took longer than {} ms: the machine is busy",
                       limits.wall.count());
  }
  if (used > kQuickJob) Demote();
  return {};
}

Result<std::string> WorkerProcess::Call(std::string_view message, const JobLimits& limits,
                                        const std::function<bool()>& cancelled) {
  const auto began = Clock::now();
  const auto cpu_before = cpu();
  auto fail = [&](Status status) {
    Kill();
    return status;
  };
  while (!dead_) {
    if (message.empty()) {
      auto answer = TryReceive();
      if (answer.ok()) return answer;
      if (answer.status().code() != StatusCode::kUnavailable) break;
    } else {
      const ssize_t n =
          ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) message.remove_prefix(static_cast<size_t>(n));
      if (n > 0) continue;
      if (n < 0 && errno != EAGAIN && errno != EINTR) break;
    }
    Ready(socket_.get(), message.empty() ? POLLIN : POLLOUT, kCheckEvery);
    if (cancelled && cancelled()) return fail(Cancelled("cancelled"));
    if (Status status = CheckLimits(limits, began, cpu_before); !status.ok()) return fail(status);
  }
  return fail(InvalidArgument("it needs more than {} MiB of memory ({}), or nests too deeply",
                              limits.memory >> 20, limits.memory_setting));
}

bool WorkerProcess::Post(std::string_view message) {
  if (dead_) return false;
  const ssize_t n =
      ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return n == static_cast<ssize_t>(message.size());
}

// Reads the bytes that have come. False: the process is dead.
bool WorkerProcess::ReceiveSome() {
  char buffer[65536];
  while (true) {
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (n <= 0) return false;
    received_.append(buffer, static_cast<size_t>(n));
    if (received_.size() >= kMaxAnswer) return true;
  }
}

Result<std::string> WorkerProcess::TryReceive() {
  uint32_t size = 0;
  auto complete = [&] {
    if (received_.size() < sizeof size) return false;
    std::memcpy(&size, received_.data(), sizeof size);
    return received_.size() >= sizeof size + size;
  };
  if (!complete()) {
    const bool alive = !dead_ && ReceiveSome();
    if (!complete()) {
      if (alive && (received_.size() < sizeof size || size < kMaxAnswer)) {
        return Unavailable("no message yet");
      }
      Kill();
      return DataLoss("the worker process has ended");
    }
  }
  std::string message = received_.substr(sizeof size, size);
  received_.erase(0, sizeof size + size);
  return message;
}

void WorkerProcess::WaitForData(Clock::time_point deadline) const {
  if (!dead_ && received_.empty()) Ready(socket_.get(), POLLIN, deadline - Clock::now());
}

void ModelHost::SetProgram(std::string path) { program = std::move(path); }

Result<std::unique_ptr<ModelHost>> ModelHost::Start(std::function<std::string()> load,
                                                    std::string* answer) {
  std::unique_ptr<ModelHost> host(new ModelHost(std::move(load)));
  MutexLock lock(host->mutex_);
  EG_RETURN_IF_ERROR(host->StartProcess(answer));
  return host;
}

ModelHost::~ModelHost() {
  MutexLock lock(mutex_);
  if (pid_ <= 0) return;
  control_.Close();
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

Status ModelHost::StartProcess(std::string* answer) {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return NoProcess(errno);
  control_ = OwnedFd(ends[0]);
  OwnedFd other(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, other.get(), kHostSocket);
  const char* const arguments[] = {"edgegate", kHostCommand, nullptr};
  const int error = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr,
                                  const_cast<char* const*>(arguments), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  other.Close();  // the process has its own copy; so the socket closes when the process ends
  if (error != 0) {
    pid_ = -1;
    return NoProcess(error);
  }
  SetReceiveTimeout(control_.get(), kLoadTime);
  std::string message;
  if (!SendAll(control_.get(), load_()) || !ReceiveAll(control_.get(), kMaxAnswer, &message)) {
    return InvalidArgument(
        "the tokenizer or chat template needs too much memory or time, or nests too deeply");
  }
  if (answer != nullptr) *answer = std::move(message);
  return {};
}

Result<std::unique_ptr<WorkerProcess>> ModelHost::TryFork() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return NoProcess(errno);
  OwnedFd socket(ends[0]);
  {
    const OwnedFd other(ends[1]);
    if (!SendDescriptor(control_.get(), other.get())) return NoProcess(EPIPE);
  }
  SetReceiveTimeout(socket.get(), kForkTime);
  OwnedFd process(ReceiveDescriptor(socket.get()));
  std::string hello;
  if (process.get() < 0 || !ReceiveAll(socket.get(), sizeof(pid_t), &hello)) {
    return NoProcess(EAGAIN);
  }
  const auto pid = WireReader(hello).Get<pid_t>();
  return std::make_unique<WorkerProcess>(std::move(socket), std::move(process), pid);
}

Result<std::unique_ptr<WorkerProcess>> ModelHost::Fork() {
  MutexLock lock(mutex_);
  auto worker = TryFork();
  if (worker.ok() || (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0)) return worker;
  // The host has ended. A new one is started.
  pid_ = -1;
  EG_RETURN_IF_ERROR(StartProcess(nullptr));
  return TryFork();
}

}  // namespace edgegate
