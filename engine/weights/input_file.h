// Read-only access to a file that someone else wrote: opened once, then read by offset. Large data
// is read, not mapped, so that a file that shrinks or fails under us is an error and not a SIGBUS,
// and so that converting a model does not count the whole file as resident memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "engine/base/status.h"

namespace edgegate {

// Movable. Immutable once open: any thread may call any const method.
class InputFile {
 public:
  // kNotFound when there is no such file; kInvalidArgument when it is not a regular file.
  static Result<InputFile> Open(const std::string& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }

  // Reads exactly `size` bytes at `offset` to `out`; kDataLoss when the file has become shorter.
  Status ReadAt(uint64_t offset, size_t size, void* out) const;

 private:
  InputFile(std::string path, int fd, uint64_t size)
      : path_(std::move(path)), fd_(fd), size_(size) {}

  std::string path_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

// A read-only mapping of a whole file, at an address that a huge page could have. Movable.
class FileMapping {
 public:
  static Result<FileMapping> Map(const std::string& path);
  FileMapping(FileMapping&& other) noexcept;
  FileMapping& operator=(FileMapping&&) = delete;
  ~FileMapping();

  // Valid while this lives.
  std::span<const uint8_t> bytes() const { return bytes_; }

  // Puts copies of the mapped bytes on huge pages in their place, 2 MiB at a time, at the same
  // addresses: any thread may read on meanwhile. Stops early when `stop`, which is asked before
  // each page and may take its time, says so, or the system gives no more memory; does nothing
  // where it has no huge pages, or less memory free than the copies and a quarter more. Gives the
  // bytes moved. One call at a time.
  size_t MoveToHugePages(const std::function<bool()>& stop);

 private:
  explicit FileMapping(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  std::span<const uint8_t> bytes_;
};

// The whole of a small file. kResourceExhausted when it is longer than `max_bytes`.
Result<std::string> ReadSmallFile(const std::string& path, uint64_t max_bytes);

// Whether `path` is a regular file (links followed).
bool FileExists(const std::string& path);

}  // namespace edgegate
