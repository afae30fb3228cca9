#include "engine/weights/input_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

namespace edgegate {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

std::string ErrnoText(int error) { return std::generic_category().message(error); }

// Reserves addresses for `size` bytes, the first of which a huge page could have; null: none left.
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

// Bytes that could be taken without swapping.
uint64_t AvailableMemory() {
  std::ifstream file("/proc/meminfo");
  std::string word;
  uint64_t kib = 0;
  while (file >> word) {
    if (word == "MemAvailable:" && file >> kib) return kib << 10;
  }
  return 0;
}

bool HugePagesAreGiven() {
  std::string modes;
  std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), modes);
  return !modes.empty() && modes.find("[never]") == std::string::npos;
}

}  // namespace

Result<InputFile> InputFile::Open(const std::string& path) {
  // Non-blocking, so that a FIFO in place of the file does not hang us.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    int error = errno;
    if (error == ENOENT || error == ENOTDIR) return NotFound("{}: no such file", path);
    return InvalidArgument("{}: {}", path, ErrnoText(error));
  }
  struct stat info = {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return InvalidArgument("{}: not a regular file", path);
  }
  return InputFile(path, fd, static_cast<uint64_t>(info.st_size));
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  return *this;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status InputFile::ReadAt(uint64_t offset, size_t size, void* out) const {
  auto* bytes = static_cast<uint8_t*>(out);
  while (size > 0) {
    ssize_t got = ::pread(fd_, bytes, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return DataLoss("{}: reading at {}: {}", path_, offset, ErrnoText(errno));
    if (got == 0) return DataLoss("{}: ends at {}: it was longer when opened", path_, offset);
    bytes += got;
    offset += static_cast<uint64_t>(got);
    size -= static_cast<size_t>(got);
  }
  return {};
}

Result<FileMapping> FileMapping::Map(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return NotFound("{}: {}", path, ErrnoText(errno));
  struct stat info = {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return InvalidArgument("{}: not a regular file", path);
  }
  // Whole pages, so that none of the reserved ones is left behind.
  const auto size = static_cast<size_t>(info.st_size);
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  void* data = nullptr;
  if (size > 0) {
    data = Reserve((size + page - 1) / page * page);
    if (data != nullptr) data = ::mmap(data, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
    if (data == nullptr || data == MAP_FAILED) {
      int error = errno;
      ::close(fd);
      return ResourceExhausted("{}: mapping {} bytes: {}", path, size, ErrnoText(error));
    }
  }
  ::close(fd);
  return FileMapping({static_cast<const uint8_t*>(data), size});
}

size_t FileMapping::MoveToHugePages(const std::function<bool()>& stop) {
  const size_t size = bytes_.size() / kHugePage * kHugePage;
  if (size == 0 || !HugePagesAreGiven() || AvailableMemory() < size / 4 * 5) return 0;
  uint8_t* copies = Reserve(size);
  if (copies == nullptr) return 0;
  auto* mapped = const_cast<uint8_t*>(bytes_.data());
  size_t moved = 0;
  for (; moved < size && !stop(); moved += kHugePage) {
    uint8_t* copy = copies + moved;
    if (::mprotect(copy, kHugePage, PROT_READ | PROT_WRITE) != 0) break;
    if (::madvise(copy, kHugePage, MADV_HUGEPAGE) != 0) break;
    std::memcpy(copy, mapped + moved, kHugePage);
    if (::mprotect(copy, kHugePage, PROT_READ) != 0) break;
    // The kernel swaps the one mapping for the other; readers find the same bytes in either.
    if (::mremap(copy, kHugePage, kHugePage, MREMAP_MAYMOVE | MREMAP_FIXED, mapped + moved) ==
        MAP_FAILED) {
      break;
    }
  }
  if (moved < size) ::munmap(copies + moved, size - moved);
  return moved;
}

FileMapping::FileMapping(FileMapping&& other) noexcept
    : bytes_(std::exchange(other.bytes_, std::span<const uint8_t>())) {}

FileMapping::~FileMapping() {
  if (!bytes_.empty()) ::munmap(const_cast<uint8_t*>(bytes_.data()), bytes_.size());
}

Result<std::string> ReadSmallFile(const std::string& path, uint64_t max_bytes) {
  EG_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  if (file.size() > max_bytes) {
    return ResourceExhausted("{}: {} bytes long, at most {} are allowed", path, file.size(),
                             max_bytes);
  }
  std::string text(file.size(), '\0');
  EG_RETURN_IF_ERROR(file.ReadAt(0, text.size(), text.data()));
  return text;
}

bool FileExists(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace edgegate
