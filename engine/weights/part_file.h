// A file that is written under a temporary name beside its destination, and renamed when complete:
// a reader never sees half a file. Several processes may write the same destination at once.
#pragma once

#include <string>

#include "engine/base/status.h"

namespace edgegate {

// Movable. Owned by one thread.
class PartFile {
 public:
  // Creates DESTINATION.XXXXXX.part, where XXXXXX is random, exclusively, and locks it while it is
  // open. Permissions: 0666 without the umask's bits. kResourceExhausted: it cannot be created.
  static Result<PartFile> Create(const std::string& destination);
  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile();  // removes the temporary file unless Commit() succeeded

  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

  // Syncs the file and renames it to the destination. kResourceExhausted: that failed.
  Status Commit();

  // Removes the temporary files that dead writers of this destination left. A living writer holds a
  // lock. Where the file system has no locks, a file that was not written for a day is removed.
  static void RemoveStale(const std::string& destination);

 private:
  PartFile(std::string destination, std::string path, int fd);

  std::string destination_;
  std::string path_;
  int fd_;
};

}  // namespace edgegate
