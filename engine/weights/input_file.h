// Read-only access to an untrusted file, which is opened once and read by offset. Data is read and
// not mapped. So a file that shrinks or fails gives an error instead of a SIGBUS, and converting a
// model does not count the whole file as resident memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/status.h"

namespace edgegate {

// An open file. Movable. Immutable after it is opened: any thread may call any const method.
class InputFile {
 public:
  // Opens a file. kNotFound: it does not exist. kInvalidArgument: it is not a regular file.
  static Result<InputFile> Open(const std::string& path);
  // Opens the file that `fd` refers to, with a descriptor of its own. `path` is used in messages.
  // Errors are those of Open().
  static Result<InputFile> FromDescriptor(const std::string& path, int fd);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }

  // Reads exactly `size` bytes at `offset` to `out`. kDataLoss: the file has become shorter.
  Status ReadAt(uint64_t offset, size_t size, void* out) const;

 private:
  InputFile(std::string path, int fd, uint64_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}

  std::string path_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

// Returns the content of a small file. kResourceExhausted: it is longer than `max_bytes`. Other
// errors are those of Open() and ReadAt().
Result<std::string> ReadSmallFile(const std::string& path, uint64_t max_bytes);

// True if `path` is a regular file. Follows links.
bool FileExists(const std::string& path);

}  // namespace edgegate
