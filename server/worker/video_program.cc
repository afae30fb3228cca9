// edgegate-video: decodes one video for the daemon, then ends. A program of its own, because libav
// and its libraries would make the daemon larger and its start slower.

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <new>
#include <string>

#include "server/worker/process_limits.h"
#include "server/worker/video_job.h"
#include "server/worker/wire.h"

namespace edgegate {
namespace {

constexpr uint32_t kMaxMessage = uint32_t{512} << 20;

Result<std::vector<VideoImage>> Run(std::string_view message) {
  EG_ASSIGN_OR_RETURN(const VideoJob job, ReadVideoJob(message));
  if (job.jpegs) return SampleJpegs(job.files, job.sampling, job.limits);
  return SampleVideo(job.files[0], job.sampling, job.limits);
}

void LimitOneself() {
  syscall(SYS_close_range, kVideoSocket + 1, ~0U, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) signal(number, SIG_IGN);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  OfferToOomKiller();
  SilenceErrors();
}

int Serve() {
  LimitOneself();
  const uint64_t before = PrivateMemory();
  if (const Status status = RefuseSystemCalls(); !status.ok()) {
    SendAll(kVideoSocket, VideoAnswer(status));
    return 1;
  }
  std::string message;
  if (!ReceiveAll(kVideoSocket, kMaxMessage, &message)) return 1;
  LimitPrivateMemory(before + message.size() + MemoryOfVideoJob(message));
  return SendAll(kVideoSocket, VideoAnswer(Run(message))) ? 0 : 1;
}

}  // namespace
}  // namespace edgegate

int main() {
  try {
    _exit(edgegate::Serve());
  } catch (const std::bad_alloc&) {
    _exit(1);
  }
}
