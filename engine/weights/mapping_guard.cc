#include "engine/weights/mapping_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <utility>

namespace edgegate {
namespace {

// Zeros are mapped up to the end of a block of this size. So the number of mappings, which the
// kernel limits, stays small even if many pages are lost.
constexpr uintptr_t kBlock = uintptr_t{2} << 20;

// A guarded range, which the signal handler reads. A slot is free while `size` is 0.
struct Slot {
  std::atomic<uintptr_t> begin{0};
  std::atomic<size_t> size{0};
  std::atomic<bool> taken{false};
  std::atomic<bool> damaged{false};
};
static_assert(std::atomic<uintptr_t>::is_always_lock_free);
static_assert(std::atomic<bool>::is_always_lock_free);

std::array<Slot, MappingGuard::kMaxGuards> slots;
struct sigaction previous;
uintptr_t page_size;

// Maps zeros over the rest of the block that holds the address. False: no guarded range holds the
// address, or mapping failed. Async-signal-safe.
bool MapZeros(uintptr_t address) {
  for (Slot& slot : slots) {
    const size_t size = slot.size.load();
    const uintptr_t begin = slot.begin.load();
    if (size == 0 || address < begin || address - begin >= size) continue;
    slot.damaged = true;
    const uintptr_t page = address / page_size * page_size;
    const uintptr_t end = std::min((address / kBlock + 1) * kBlock,
                                   (begin + size + page_size - 1) / page_size * page_size);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel gives addresses
    return ::mmap(reinterpret_cast<void*>(page), end - page, PROT_READ,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
  }
  return false;
}

void OnBusError(int signal, siginfo_t* info, void* /*context*/) {
  const int error = errno;
  const bool fault = info->si_code > 0;  // false for kill()
  if (!fault || !MapZeros(reinterpret_cast<uintptr_t>(info->si_addr))) {
    // The access is repeated on return. It then gets the previous action.
    ::sigaction(signal, &previous, nullptr);
    if (!fault) ::raise(signal);
  }
  errno = error;
}

void InstallHandler() {
  page_size = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action = {};
  action.sa_sigaction = OnBusError;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &previous);
}

}  // namespace

Result<MappingGuard> MappingGuard::Make(const uint8_t* begin, size_t size) {
  static std::once_flag once;
  std::call_once(once, InstallHandler);
  for (int i = 0; i < kMaxGuards; ++i) {
    Slot& slot = slots[static_cast<size_t>(i)];
    if (slot.taken.exchange(true)) continue;
    slot.damaged = false;
    slot.begin = reinterpret_cast<uintptr_t>(begin);
    slot.size = size;
    return MappingGuard(i);
  }
  return ResourceExhausted("{} model files are mapped already", kMaxGuards);
}

MappingGuard::MappingGuard(MappingGuard&& other) noexcept : slot_(std::exchange(other.slot_, -1)) {}

MappingGuard::~MappingGuard() {
  if (slot_ < 0) return;
  Slot& slot = slots[static_cast<size_t>(slot_)];
  slot.size = 0;
  slot.taken = false;
}

bool MappingGuard::damaged() const { return slots[static_cast<size_t>(slot_)].damaged; }

}  // namespace edgegate
