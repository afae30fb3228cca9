#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "engine/base/sha256.h"
#include "engine/weights/bundle_format.h"
#include "engine/weights/bundle_json.h"

namespace edgegate {

BundleWriter::BundleWriter(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

void BundleWriter::WriteAt(uint64_t offset, const void* data, size_t bytes) {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0 && error_ == 0) {
    const ssize_t written = ::pwrite(fd_, from, bytes, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      int none = 0;
      error_.compare_exchange_strong(none, written < 0 ? errno : EIO);
      return;
    }
    from += written;
    offset += static_cast<uint64_t>(written);
    bytes -= static_cast<size_t>(written);
  }
}

uint64_t BundleWriter::Reserve(const std::string& name, uint64_t bytes) {
  const uint64_t offset = (end_ + kBundleAlignment - 1) / kBundleAlignment * kBundleAlignment;
  entries_.push_back({name, offset, bytes});
  end_ = offset + bytes;
  return offset;
}

void BundleWriter::StartWriteback() {
  constexpr uint64_t kAtOnce = uint64_t{16} << 20;
  if (end_ < written_back_ + kAtOnce) return;
  // Errors are ignored here: fsync() reports those of the disk.
  (void)::sync_file_range(fd_, static_cast<off_t>(written_back_),
                          static_cast<off_t>(end_ - written_back_), SYNC_FILE_RANGE_WRITE);
  written_back_ = end_;
}

Status BundleWriter::Finish(const BundleInfo& info) {
  TensorTable tensors;
  for (const Entry& entry : entries_) tensors[entry.name] = {entry.offset, entry.bytes};
  const std::string manifest = ManifestToJson(info, tensors);
  BundleHeader header{};
  std::memcpy(header.magic, kBundleMagic, sizeof header.magic);
  header.version = kBundleVersion;
  header.manifest_offset = end_;
  header.manifest_size = manifest.size();
  header.manifest_sha256 = Sha256::Digest(manifest.data(), manifest.size());
  WriteAt(end_, manifest.data(), manifest.size());
  WriteAt(0, &header, sizeof header);
  return status();
}

Status BundleWriter::status() const {
  if (error_ == 0) return {};
  return ResourceExhausted("cannot write {}: {}", path_, std::generic_category().message(error_));
}

}  // namespace edgegate
