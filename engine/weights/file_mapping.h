// A read-only mapping of a whole file, at an address with the alignment of a huge page. Other
// processes may truncate or overwrite the file while it is mapped. Reading stays safe, and
// CheckIntact() reports the change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "engine/base/status.h"
#include "engine/weights/input_file.h"

namespace edgegate {

// A mapped file. Movable. Const methods may be called by any thread, also during MoveToHugePages().
class FileMapping {
 public:
  // Maps a file. kNotFound: the file cannot be opened. kInvalidArgument: it is not a regular file.
  // kResourceExhausted: no addresses or guards are left.
  static Result<FileMapping> Map(const std::string& path);
  FileMapping(FileMapping&& other) noexcept;
  FileMapping& operator=(FileMapping&&) = delete;
  ~FileMapping();

  // Returns the file's bytes, valid while this object lives. Bytes that the file has lost since
  // Map() read as zeros or as their old values.
  std::span<const uint8_t> bytes() const;

  // Checks whether the file has changed since Map(). kDataLoss, in all later calls too: it was
  // truncated, extended or written to, or some of it could not be read, so that bytes read since
  // Map() may be wrong. The check compares size and modification time. Renaming, unlinking,
  // replacing by rename, chmod and chown leave the bytes as they are and are not reported. Always
  // OK after all bytes have moved to anonymous memory. Takes about a microsecond.
  Status CheckIntact() const;

  // Opens the mapped file for reading by offset.
  Result<InputFile> OpenFile() const;

  // Replaces the mapped bytes by copies on huge pages, 2 MiB at a time, and the remainder by copies
  // on small pages. The addresses stay the same, and any thread may read during the call. Calls
  // `stop` before each block; it may take a long time. Stops early if `stop` returns true or the
  // system has no more memory. Does nothing if the system has no huge pages, or less free memory
  // than 1.25 times the copies. Returns the number of bytes moved. If all were moved, the file is
  // no longer used. Only one thread may call it at a time.
  size_t MoveToHugePages(const std::function<bool()>& stop);

 private:
  struct State;
  explicit FileMapping(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace edgegate
