// SHA-256 of a model's files, computed while other threads work.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/weights/bundle_format.h"

namespace edgegate {

// Reads the files once, front to back, in a thread of its own. This also fills the page cache for
// the code that reads the tensors. Owned by one thread.
class SourceHasher {
 public:
  explicit SourceHasher(std::vector<std::string> files);
  ~SourceHasher();  // stops the thread
  SourceHasher(const SourceHasher&) = delete;
  SourceHasher& operator=(const SourceHasher&) = delete;

  // Returns the files' names, sizes and hashes, in the order of the constructor. Call it once.
  // Calls `waiting` several times a second. An error from `waiting` ends the wait and is returned.
  // Errors of files are those of InputFile.
  Result<std::vector<BundleInfo::SourceFile>> Wait(const std::function<Status()>& waiting);

 private:
  using SourceFiles = std::vector<BundleInfo::SourceFile>;
  Result<SourceFiles> HashAll(const std::vector<std::string>& files) const;

  std::atomic<bool> stopping_{false};
  std::future<Result<SourceFiles>> files_;
};

}  // namespace edgegate
