#include "engine/quantize/source_hash.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "engine/base/sha256.h"
#include "engine/weights/input_file.h"

namespace edgegate {
namespace {

constexpr size_t kPiece = size_t{1} << 20;

Result<std::string> HashFile(const InputFile& file, const std::atomic<bool>& stopping) {
  std::vector<char> buffer(kPiece);
  Sha256 hash;
  for (uint64_t at = 0; at < file.size();) {
    if (stopping) return Cancelled("stopped while hashing");
    const auto size = static_cast<size_t>(std::min<uint64_t>(buffer.size(), file.size() - at));
    EG_RETURN_IF_ERROR(file.ReadAt(at, size, buffer.data()));
    hash.Update(buffer.data(), size);
    at += size;
  }
  return hash.Finish();
}

}  // namespace

// If the system refuses a thread, Wait() hashes the files.
SourceHasher::SourceHasher(std::vector<std::string> files)
    : files_(std::async(std::launch::async | std::launch::deferred,
                        [this, paths = std::move(files)] { return HashAll(paths); })) {}

SourceHasher::~SourceHasher() { stopping_ = true; }

Result<SourceHasher::SourceFiles> SourceHasher::HashAll(
    const std::vector<std::string>& paths) const {
  SourceFiles files;
  for (const std::string& path : paths) {
    EG_ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(path));
    EG_ASSIGN_OR_RETURN(std::string sha256, HashFile(file, stopping_));
    files.push_back({std::filesystem::path(path).filename(), file.size(), std::move(sha256)});
  }
  return files;
}

Result<SourceHasher::SourceFiles> SourceHasher::Wait(const std::function<Status()>& waiting) {
  while (files_.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout) {
    EG_RETURN_IF_ERROR(waiting());
  }
  return files_.get();
}

}  // namespace edgegate
