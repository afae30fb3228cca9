#include "server/worker/video_decoder.h"

#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace edgegate {
namespace {

namespace fs = std::filesystem;

// Pixels that may be decoded for each millisecond of processor time. H.264 takes about half of the
// time for them.
constexpr int64_t kPixelsPerMs = 200'000;
// A busy machine gives the process, whose priority is low, a part of a processor.
constexpr int kWallFactor = 4;

std::string* SetPath() {
  static std::string path;
  return &path;
}

std::string ProgramPath() {
  if (!SetPath()->empty()) return *SetPath();
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path beside = folder / "edgegate-video";
  if (fs::exists(beside, error)) return beside;
  return folder.parent_path() / "libexec/edgegate/edgegate-video";
}

JobLimits LimitsOf(const VideoDecoder::Options& options) {
  JobLimits limits;
  limits.cpu = options.cpu;
  limits.wall = kWallFactor * options.cpu;
  limits.memory = options.memory;
  limits.cpu_setting = "server.video_cpu_ms";
  limits.memory_setting = "server.video_memory_mb";
  return limits;
}

// A process of the program. The destructor kills it and waits for its end.
class VideoProcess {
 public:
  VideoProcess(OwnedFd socket, OwnedFd process, pid_t pid)
      : worker_(std::move(socket), std::move(process), pid), pid_(pid) {}
  VideoProcess(const VideoProcess&) = delete;
  VideoProcess& operator=(const VideoProcess&) = delete;
  ~VideoProcess() {
    worker_.Kill();
    ::waitpid(pid_, nullptr, 0);
  }
  WorkerProcess& worker() { return worker_; }

 private:
  WorkerProcess worker_;
  const pid_t pid_;
};

Result<std::unique_ptr<VideoProcess>> Start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return Unavailable("no process can be started now: {}", std::strerror(errno));
  }
  OwnedFd socket(ends[0]);
  const OwnedFd other(ends[1]);
  // The environment may hold API keys. Only the path of libraries is passed on.
  std::string libraries;
  if (const char* path = std::getenv("LD_LIBRARY_PATH")) {
    libraries = std::string("LD_LIBRARY_PATH=") + path;
  }
  char* const environment[] = {libraries.empty() ? nullptr : libraries.data(), nullptr};
  const std::string program = ProgramPath();
  char* const arguments[] = {const_cast<char*>("edgegate-video"), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, other.get(), kVideoSocket);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environment);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) {
    return Unimplemented("videos cannot be decoded here: {} is not installed", program);
  }
  if (error != 0) return Unavailable("no process can be started now: {}", std::strerror(error));
  OwnedFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (process.get() < 0) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return Unavailable("no process can be started now: {}", std::strerror(errno));
  }
  return std::make_unique<VideoProcess>(std::move(socket), std::move(process), pid);
}

}  // namespace

VideoDecoder::VideoDecoder(const Options& options)
    : limits_(LimitsOf(options)),
      slots_(1, options.max_waiting,
             std::chrono::duration_cast<std::chrono::seconds>(limits_.wall)) {
  video_limits_.max_decoded_pixels = kPixelsPerMs * options.cpu.count();
}

void VideoDecoder::SetProgram(std::string path) { *SetPath() = std::move(path); }

Result<std::vector<PreparedVideoImage>> VideoDecoder::Decode(const VideoInput& video,
                                                             const VideoSampling& sampling,
                                                             const JobContext& context) {
  EG_ASSIGN_OR_RETURN(const JobSlots::Slot slot, slots_.Acquire(context));
  EG_ASSIGN_OR_RETURN(const auto process, Start());
  bool closed = false;
  const auto cancelled = [&] {
    closed = slots_.closed();
    return closed || (context.cancelled && context.cancelled());
  };
  const auto answer = process->worker().Call(
      VideoJobMessage(video, sampling, video_limits_, limits_.memory), limits_, cancelled);
  if (closed) return Unavailable("the server is shutting down");
  if (!answer.ok()) return answer.status();
  auto images = OpenVideoAnswer(*answer, sampling.size);
  if (images.status().code() == StatusCode::kResourceExhausted) {
    return InvalidArgument("decoding it takes more than {} MiB of memory ({})",
                           limits_.memory >> 20, limits_.memory_setting);
  }
  return images;
}

}  // namespace edgegate
