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
  // count: they leave the bytes as they are. Ok without looking once everything has moved to
  // anonymous memory. Takes about a microsecond.
  Status CheckIntact() const;

  // The same file, for reading by offset.
  Result<InputFile> OpenFile() const;

  // Puts copies of the mapped bytes on huge pages in their place, 2 MiB at a time, and what is left
  // on small pages, at the same addresses: any thread may read on meanwhile. Stops early when
  // `stop`, which is asked before each block and may take its time, says so, or the system gives no
  // more memory; does nothing where it has no huge pages, or less memory free than the copies and a
  // quarter more. Gives the bytes moved; if that is all, nothing depends on the file any more. One
  // call at a time.
  size_t MoveToHugePages(const std::function<bool()>& stop);

 private:
  struct State;
  explicit FileMapping(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace edgegate
