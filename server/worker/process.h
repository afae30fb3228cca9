// The daemon's side of worker processes. A model host is a single-threaded process that holds one
// model's tokenizer, chat template and vocabulary. It forks a worker whenever the daemon asks for
// one. Workers run jobs on data of clients. A worker that crashes or is killed affects no other
// request.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/mutex.h"
#include "engine/base/status.h"

namespace edgegate {

// Limits of a job. A worker that exceeds one is killed.
struct JobLimits {
  std::chrono::milliseconds cpu{1500};            // processor time
  std::chrono::milliseconds wall{4000};           // time since the job was sent
  int64_t memory = int64_t{160} << 20;            // bytes of private memory that the job may add
  const char* cpu_setting = "server.job_cpu_ms";  // the settings of these limits, for messages
  const char* memory_setting = "server.job_memory_mb";
};

// A file descriptor that is closed with its owner. Movable.
class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd();
  int get() const { return fd_; }
  void Close();

 private:
  int fd_;
};

// Owned by one thread at a time. Destroying it kills the process.
class WorkerProcess {
 public:
  WorkerProcess(OwnedFd socket, OwnedFd process, pid_t pid);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Sends a message (of WireWriter) and waits for the answer. `cancelled` is called every few
  // milliseconds. kCancelled: it returned true. kInvalidArgument: the job exceeded its limit of
  // processor time or memory, or crashed; the message names the limit. kUnavailable: the job
  // exceeded its limit of time. After an error the process is dead.
  Result<std::string> Call(std::string_view message, const JobLimits& limits,
                           const std::function<bool()>& cancelled);

  // Sends a short message. Never blocks. False: the process is dead, or does not read.
  bool Post(std::string_view message);
  // Receives a message if one has come. Never blocks. kUnavailable: none has come yet.
  // kDataLoss: the process has ended.
  Result<std::string> TryReceive();
  // Waits for data until `deadline`.
  void WaitForData(std::chrono::steady_clock::time_point deadline) const;

  // Returns the processor time that the process has used.
  std::chrono::nanoseconds cpu() const;
  // True if the process got a low priority because a job ran long. The process keeps it.
  bool demoted() const { return demoted_; }
  void Demote();
  void Kill();

 private:
  Status CheckLimits(const JobLimits& limits, std::chrono::steady_clock::time_point began,
                     std::chrono::nanoseconds cpu_before);
  bool ReceiveSome();

  OwnedFd socket_;
  OwnedFd process_;
  const pid_t pid_;
  clockid_t cpu_clock_ = 0;
  bool demoted_ = false;
  bool dead_ = false;
  std::string received_;
};

// Provides its own synchronization.
class ModelHost {
 public:
  // `load` makes a message (of WireWriter) that is sent to the process at its start. The process's
  // reply is stored in `answer`. `load` is called again if the process must be started again.
  // kUnavailable: no process can be started. kInvalidArgument: the process died while it loaded.
  static Result<std::unique_ptr<ModelHost>> Start(std::function<std::string()> load,
                                                  std::string* answer);
  ~ModelHost();

  // Starts a worker. kUnavailable: no process can be started.
  Result<std::unique_ptr<WorkerProcess>> Fork() EG_EXCLUDES(mutex_);

  // Sets the program that is started as a model host. The default is this program. For tests. Call
  // it before any host is started.
  static void SetProgram(std::string path);

 private:
  explicit ModelHost(std::function<std::string()> load) : load_(std::move(load)) {}
  Status StartProcess(std::string* answer) EG_REQUIRES(mutex_);
  Result<std::unique_ptr<WorkerProcess>> TryFork() EG_REQUIRES(mutex_);

  const std::function<std::string()> load_;
  Mutex mutex_;
  OwnedFd control_ EG_GUARDED_BY(mutex_);
  pid_t pid_ EG_GUARDED_BY(mutex_) = -1;
};

}  // namespace edgegate
