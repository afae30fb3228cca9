// A read-only mapping of a whole file, at an address that a huge page could have. Other processes
// may truncate or overwrite the file meanwhile: reading stays safe, and CheckIntact() reports it.
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

// Movable. Const methods may be called by any thread, also during MoveToHugePages().
class FileMapping {
 public:
  // kNotFound: the file cannot be opened. kInvalidArgument: it is not a regular file.
  // kResourceExhausted: no addresses or guards are left.
  static Result<FileMapping> Map(const std::string& path);
  FileMapping(FileMapping&& other) noexcept;
  FileMapping& operator=(FileMapping&&) = delete;
  ~FileMapping();

  // Valid while this lives. Bytes that the file has lost since Map() read as zeros or as they were.
  std::span<const uint8_t> bytes() const;

  // kDataLoss, from then on, when the file was truncated, extended or written to since Map(), or
  // some of it could not be read: what was read from bytes() since then may be wrong. Detected by
  // size and modification time. Renaming, unlinking, replacing by rename, chmod and chown do not
  // count: they leave the bytes as they are. Always OK once everything has moved to anonymous
  // memory. Takes about a microsecond.
  Status CheckIntact() const;

  // Opens the mapped file for reading by offset.
  Result<InputFile> OpenFile() const;

  // Replaces the mapped bytes by copies on huge pages, 2 MiB at a time, and the remainder by copies
  // on small pages. The addresses stay the same, and any thread may read in the meantime. Calls
  // `stop` before each block, which may take its time. Stops early where it gives true, or the
  // system has no more memory. Does nothing where the system has no huge pages, or less free memory
  // than 1.25 times the copies. Gives the bytes moved. If these are all, the file is no longer
  // used. One call at a time.
  size_t MoveToHugePages(const std::function<bool()>& stop);

 private:
  struct State;
  explicit FileMapping(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace edgegate
