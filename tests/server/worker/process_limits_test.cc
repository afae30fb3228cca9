#include "server/worker/process_limits.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

namespace edgegate {
namespace {

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Returns 0 if the filter refuses files, sockets and processes, and allows memory and open pipes.
int TryUnderFilter(int pipe_end) {
  if (!RefuseSystemCalls().ok()) return 1;
  if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EPERM) return 2;
  if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM) return 3;
  if (fork() != -1) return 4;
  if (execl("/bin/true", "true", nullptr) != -1 || errno != EPERM) return 5;
  const std::vector<char> memory(size_t{8} << 20, 'x');
  return write(pipe_end, &memory[memory.size() / 2], 1) == 1 ? 0 : 6;
}

TEST_CASE("a filtered process cannot open files or sockets, nor start processes") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) _exit(TryUnderFilter(ends[1]));
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  char byte = 0;
  CHECK(read(ends[0], &byte, 1) == 1);
  CHECK(byte == 'x');
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("memory above the limit is not given") {
  const pid_t child = fork();
  if (child == 0) {
    LimitPrivateMemory(PrivateMemory() + (size_t{4} << 20));
    void* large = malloc(size_t{64} << 20);
    const bool refused = large == nullptr;
    free(large);
    _exit(refused ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
#endif

}  // namespace
}  // namespace edgegate
