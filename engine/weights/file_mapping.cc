#include "engine/weights/file_mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "engine/base/memory_info.h"
#include "engine/weights/mapping_guard.h"

namespace edgegate {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

std::string ErrnoText(int error) { return std::generic_category().message(error); }

// Reserves addresses for `size` bytes, with the alignment of a huge page. Null: no addresses are
// left.
uint8_t* Reserve(size_t size) {
  void* data = ::mmap(nullptr, size + kHugePage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return nullptr;
  auto* first = static_cast<uint8_t*>(data);
  const size_t before = -reinterpret_cast<uintptr_t>(first) % kHugePage;
  const size_t after = kHugePage - before;
  if (before > 0) ::munmap(first, before);
  if (after > 0) ::munmap(first + before + size, after);
  return first + before;
}

bool HugePagesAreGiven() {
  std::string modes;
  std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), modes);
  return !modes.empty() && modes.find("[never]") == std::string::npos;
}

// Replaces `size` mapped bytes by their copy at `copy`, whose addresses are reserved. Readers see
// the same bytes before and after. False: the system refused.
bool MoveBlock(uint8_t* mapped, uint8_t* copy, size_t size) {
  if (::mprotect(copy, size, PROT_READ | PROT_WRITE) != 0) return false;
  if (size == kHugePage && ::madvise(copy, size, MADV_HUGEPAGE) != 0) return false;
  std::memcpy(copy, mapped, size);
  if (::mprotect(copy, size, PROT_READ) != 0) return false;
  return ::mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, mapped) != MAP_FAILED;
}

size_t WholePages(size_t size) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

}  // namespace

struct FileMapping::State {
  ~State() {
    guard.reset();
    if (!bytes.empty()) ::munmap(const_cast<uint8_t*>(bytes.data()), bytes.size());
    if (fd >= 0) ::close(fd);
  }

  // Describes the change of the file. Empty: it did not change.
  std::string Change() const;

  std::string path;
  int fd = -1;
  struct stat opened = {};
  std::span<const uint8_t> bytes;
  std::optional<MappingGuard> guard;  // nullopt: the file is empty
  std::atomic<bool> detached{false};  // all bytes were copied while the file was intact
  std::atomic<bool> changed{false};   // stays true once set
};

std::string FileMapping::State::Change() const {
  struct stat now = {};
  if (::fstat(fd, &now) != 0) return "its descriptor is lost";
  if (now.st_size != opened.st_size) {
    return fmt::format("its size went from {} to {} bytes", opened.st_size, now.st_size);
  }
  // st_ctim is not compared: chmod, rename and unlink change it.
  if (now.st_mtim.tv_sec != opened.st_mtim.tv_sec ||
      now.st_mtim.tv_nsec != opened.st_mtim.tv_nsec) {
    return "it was written to";
  }
  if (guard && guard->damaged()) return "some of it could not be read";
  return changed ? "it was written to for a while" : "";
}

Result<FileMapping> FileMapping::Map(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (state->fd < 0) return NotFound("{}: {}", path, ErrnoText(errno));
  if (::fstat(state->fd, &state->opened) != 0 || !S_ISREG(state->opened.st_mode)) {
    return InvalidArgument("{}: not a regular file", path);
  }
  const auto size = static_cast<size_t>(state->opened.st_size);
  if (size > 0) {
    // Reserves whole pages, so that all of them are released later.
    void* data = Reserve(WholePages(size));
    if (data != nullptr) {
      data = ::mmap(data, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, state->fd, 0);
    }
    if (data == nullptr || data == MAP_FAILED) {
      return ResourceExhausted("{}: mapping {} bytes: {}", path, size, ErrnoText(errno));
    }
    state->bytes = {static_cast<const uint8_t*>(data), size};
    auto guard = MappingGuard::Make(state->bytes.data(), size);
    if (!guard.ok()) return guard.status().WithContext(path);
    state->guard.emplace(*std::move(guard));
  }
  return FileMapping(std::move(state));
}

FileMapping::FileMapping(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileMapping::FileMapping(FileMapping&& other) noexcept = default;
FileMapping::~FileMapping() = default;

std::span<const uint8_t> FileMapping::bytes() const { return state_->bytes; }

Result<InputFile> FileMapping::OpenFile() const {
  return InputFile::FromDescriptor(state_->path, state_->fd);
}

Status FileMapping::CheckIntact() const {
  State& state = *state_;
  if (state.detached) return {};
  const std::string change = state.Change();
  // Another thread may have completed the copy, and the file may have changed after that.
  if (change.empty() || state.detached) return {};
  state.changed = true;
  return DataLoss("{}: the file was changed while in use: {}", state.path, change);
}

size_t FileMapping::MoveToHugePages(const std::function<bool()>& stop) {
  State& state = *state_;
  const size_t size = state.bytes.size();
  if (size == 0 || !HugePagesAreGiven() ||
      MemoryInfo("MemAvailable").value_or(0) < static_cast<int64_t>(size / 4 * 5))
    return 0;
  const size_t pages = WholePages(size);
  uint8_t* copies = Reserve(pages);
  if (copies == nullptr) return 0;
  auto* mapped = const_cast<uint8_t*>(state.bytes.data());
  size_t moved = 0;
  while (moved < pages && !stop()) {
    const size_t block = std::min(kHugePage, pages - moved);
    if (!MoveBlock(mapped + moved, copies + moved, block)) break;
    moved += block;
  }
  if (moved < pages) ::munmap(copies + moved, pages - moved);
  // This check follows the last copy. So the copies hold no change that it could miss.
  if (moved == pages && state.Change().empty()) state.detached = true;
  return std::min(moved, size);
}

}  // namespace edgegate
