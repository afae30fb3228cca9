// A library that scripts/test-arm64 preloads into programs that QEMU's user emulation runs. Programs
// that they start with posix_spawn() run in the emulator too. Without it, the kernel would need a
// binfmt entry. QEMU_CPU and QEMU_LD_PREFIX are the emulator's own variables.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kMaxArguments = 64 };

typedef int Spawn(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                  char* const[], char* const[]);

// True if the file is an ELF program for ARM64.
static int IsForArm64(const char* path) {
  unsigned char head[20] = {0};
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t size = read(fd, head, sizeof head);
  close(fd);
  return size == sizeof head && memcmp(head, "\177ELF", 4) == 0 && head[18] == 183 && head[19] == 0;
}

// Adds an option with the value of a variable, if the variable is set.
static int Add(char** arguments, int count, const char* option, const char* variable) {
  char* value = getenv(variable);
  if (value == NULL) return count;
  arguments[count++] = (char*)option;
  arguments[count++] = value;
  return count;
}

int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const argv[], char* const environment[]) {
  Spawn* spawn = (Spawn*)dlsym(RTLD_NEXT, "posix_spawn");
  char program[PATH_MAX], preload[PATH_MAX + 16];
  if (realpath(path, program) == NULL || !IsForArm64(program)) {
    return spawn(pid, path, actions, attributes, argv, environment);
  }
  Dl_info self;
  char* arguments[kMaxArguments] = {(char*)"qemu-aarch64-static"};
  int count = Add(arguments, 1, "-cpu", "QEMU_CPU");
  count = Add(arguments, count, "-L", "QEMU_LD_PREFIX");
  if (dladdr((void*)&IsForArm64, &self) != 0) {
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", self.dli_fname);
    arguments[count++] = (char*)"-E";
    arguments[count++] = preload;
  }
  arguments[count++] = program;
  for (int i = 1; argv[i] != NULL && count < kMaxArguments - 1; ++i) arguments[count++] = argv[i];
  return spawn(pid, "/usr/bin/qemu-aarch64-static", actions, attributes, arguments, environment);
}
