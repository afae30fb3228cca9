// A file that is written under a temporary name beside its destination, and renamed when it is
// complete. So a reader never sees an incomplete file. Several processes may write the same
// destination at once.
#pragma once

#include <string>

#include "engine/base/status.h"

namespace edgegate {

// An open temporary file. Movable. Owned by one thread.
class PartFile {
 public:
  // Creates the new file DESTINATION.XXXXXX.part, where XXXXXX is random, and locks it while it is
  // open. Its permissions are 0666 without the umask's bits. kResourceExhausted: it cannot be
  // created.
  static Result<PartFile> Create(const std::string& destination);
  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile();  // removes the temporary file unless Commit() succeeded

  // Returns the descriptor, open for writing. Owned by this object.
  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

  // Syncs the file and renames it to the destination. kResourceExhausted: one of the two failed.
  Status Commit();

  // Removes the temporary files that processes which have ended left beside this destination. A
  // running writer holds a lock on its file. If the file system has no locks, removes a file that
  // was not written for a day.
  static void RemoveStale(const std::string& destination);

 private:
  PartFile(std::string destination, std::string path, int fd);

  std::string destination_;
  std::string path_;
  int fd_;
};

}  // namespace edgegate
