// SHA-256 of a model's files, while other threads compute.
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
  ~SourceHasher();  // stops the work
  SourceHasher(const SourceHasher&) = delete;
  SourceHasher& operator=(const SourceHasher&) = delete;

  // The files' names, sizes and hashes, in their order. To be called once. Calls `waiting` several
  // times a second. An error from it ends the wait.
  Result<std::vector<BundleInfo::SourceFile>> Wait(const std::function<Status()>& waiting);

 private:
  using SourceFiles = std::vector<BundleInfo::SourceFile>;
  Result<SourceFiles> HashAll(const std::vector<std::string>& files) const;

  std::atomic<bool> stopping_{false};
  std::future<Result<SourceFiles>> files_;
};

}  // namespace edgegate
