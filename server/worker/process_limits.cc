#include "server/worker/process_limits.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <vector>

namespace edgegate {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t kArchitecture = 0;
#endif

constexpr uint32_t kAllowedCalls[] = {
    __NR_read,
    __NR_write,
    __NR_recvfrom,
    __NR_sendto,
    __NR_recvmsg,
    __NR_sendmsg,
    __NR_close,
    __NR_brk,
    __NR_mmap,
    __NR_munmap,
    __NR_mremap,
    __NR_mprotect,
    __NR_madvise,
    __NR_futex,
    __NR_prlimit64,
    __NR_clock_gettime,
    __NR_getrandom,
    __NR_rt_sigreturn,
    __NR_rt_sigprocmask,
    __NR_sched_yield,
    __NR_gettid,
    __NR_getpid,
    __NR_sched_getaffinity,
    __NR_restart_syscall,
    __NR_exit,
    __NR_exit_group,
};

sock_filter Statement(uint16_t code, uint32_t k) { return {code, 0, 0, k}; }
sock_filter JumpIfEqual(uint32_t k, uint8_t if_true, uint8_t if_false) {
  return {BPF_JMP | BPF_JEQ | BPF_K, if_true, if_false, k};
}

}  // namespace

uint64_t PrivateMemory() {
  std::ifstream file("/proc/self/statm");
  uint64_t field[6] = {};
  for (uint64_t& value : field) file >> value;
  return field[5] * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

void LimitPrivateMemory(uint64_t bytes) {
  if (kSanitized) return;
  const rlimit now{bytes, RLIM_INFINITY};
  setrlimit(RLIMIT_DATA, &now);
}

void OfferToOomKiller() {
  if (std::FILE* file = std::fopen("/proc/self/oom_score_adj", "w")) {
    std::fputs("800", file);
    std::fclose(file);
  }
}

void SilenceErrors() {
  if (kSanitized) return;
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) dup2(null, STDERR_FILENO);
  if (null >= 0) close(null);
}

Status RefuseSystemCalls() {
  if (kSanitized) return {};
  if (kArchitecture == 0) return Unavailable("system calls of this processor are not filtered");
  constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
  constexpr uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
  std::vector<sock_filter> filter = {
      Statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      JumpIfEqual(kArchitecture, 1, 0),
      Statement(BPF_RET | BPF_K, kRefuse),
      Statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (const uint32_t call : kAllowedCalls) {
    filter.push_back(JumpIfEqual(call, 0, 1));
    filter.push_back(Statement(BPF_RET | BPF_K, kAllow));
  }
  filter.push_back(Statement(BPF_RET | BPF_K, kRefuse));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    return Unavailable("the kernel does not filter system calls: {}", std::strerror(errno));
  }
  return {};
}

}  // namespace edgegate
