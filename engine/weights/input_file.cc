#include "engine/weights/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace edgegate {
namespace {

std::string ErrnoText(int error) { return std::generic_category().message(error); }

}  // namespace

Result<InputFile> InputFile::Open(const std::string& path) {
  // With O_NONBLOCK, opening a FIFO instead of a file does not hang.
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

Result<InputFile> InputFile::FromDescriptor(const std::string& path, int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  struct stat info = {};
  if (copy < 0 || ::fstat(copy, &info) != 0) {
    const int error = errno;
    if (copy >= 0) ::close(copy);
    return ResourceExhausted("{}: {}", path, ErrnoText(error));
  }
  return InputFile(path, copy, static_cast<uint64_t>(info.st_size));
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
