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

// Reads the files once, front to back, in a thread of its own. So it also reads ahead for those who
// take the same files' tensors from the page cache. Owned by one thread.
class SourceHasher {
 public:
  explicit SourceHasher(std::vector<std::string> files);
  ~SourceHasher();  // stops the work
  SourceHasher(const SourceHasher&) = delete;
  SourceHasher& operator=(const SourceHasher&) = delete;

  // The files' names, sizes and hashes, in their order. Call once. Asks `waiting` several times a
  // second; an error from it ends the wait.
  Result<std::vector<BundleInfo::SourceFile>> Wait(const std::function<Status()>& waiting);

 private:
  using SourceFiles = std::vector<BundleInfo::SourceFile>;
  Result<SourceFiles> HashAll(const std::vector<std::string>& files) const;

  std::atomic<bool> stopping_{false};
  std::future<Result<SourceFiles>> files_;
};

}  // namespace edgegate
