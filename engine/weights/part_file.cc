#include "engine/weights/part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

namespace edgegate {
namespace {

namespace fs = std::filesystem;
constexpr int kAttempts = 100;
constexpr time_t kStaleAfter = time_t{24} * 3600;

std::string ErrnoText(int error) { return std::generic_category().message(error); }

std::string RandomName() {
  static constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::string name;
  for (int i = 0; i < 6; ++i) name += kAlphabet[random() % kAlphabet.size()];
  return name;
}

fs::path FolderOf(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// True if the name still refers to the open file.
bool IsLinked(int fd, const std::string& path) {
  struct stat opened = {}, named = {};
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

bool IsStale(int fd) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return false;
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
  return errno != EWOULDBLOCK && std::time(nullptr) - info.st_mtim.tv_sec > kStaleAfter;
}

}  // namespace

Result<PartFile> PartFile::Create(const std::string& destination) {
  int error = EEXIST;
  for (int i = 0; i < kAttempts && error == EEXIST; ++i) {
    const std::string path = fmt::format("{}.{}.part", destination, RandomName());
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
      error = errno;
      continue;
    }
    // Until the file is locked, another process may remove it as stale.
    ::flock(fd, LOCK_EX);
    if (IsLinked(fd, path)) return PartFile(destination, path, fd);
    ::close(fd);
  }
  return ResourceExhausted("cannot create a file beside {}: {}", destination, ErrnoText(error));
}

PartFile::PartFile(std::string destination, std::string path, int fd)
    : destination_(std::move(destination)), path_(std::move(path)), fd_(fd) {}

PartFile::PartFile(PartFile&& other) noexcept
    : destination_(std::move(other.destination_)),
      path_(std::exchange(other.path_, "")),
      fd_(std::exchange(other.fd_, -1)) {}

PartFile::~PartFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
  if (fd_ >= 0) ::close(fd_);
}

Status PartFile::Commit() {
  if (::fsync(fd_) != 0 || ::rename(path_.c_str(), destination_.c_str()) != 0) {
    return ResourceExhausted("cannot write {}: {}", destination_, ErrnoText(errno));
  }
  path_.clear();
  // Syncs the folder, so that the name survives a crash. It is not an error if the file system
  // cannot do so.
  const int folder = ::open(FolderOf(destination_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
  return {};
}

void PartFile::RemoveStale(const std::string& destination) {
  std::error_code error;
  const fs::path path(destination);
  const std::string prefix = path.filename().string() + ".";
  for (fs::directory_iterator it(FolderOf(path), error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename();
    if (!name.starts_with(prefix) || !name.ends_with(".part")) continue;
    const int fd = ::open(it->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) continue;
    if (IsStale(fd) && IsLinked(fd, it->path())) ::unlink(it->path().c_str());
    ::close(fd);
  }
}

}  // namespace edgegate
