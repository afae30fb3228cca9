#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "engine/base/sha256.h"
#include "engine/weights/bundle_format.h"
#include "engine/weights/bundle_json.h"

namespace edgegate {

BundleWriter::BundleWriter(int fd, std::string path)
    : path_(std::move(path)), file_(::fdopen(::fcntl(fd, F_DUPFD_CLOEXEC, 0), "wb")) {
  if (!file_) error_ = errno;
  const BundleHeader empty{};
  Put(&empty, sizeof empty);
}

BundleWriter::~BundleWriter() {
  if (file_) std::fclose(file_);
}

void BundleWriter::Put(const void* data, size_t bytes) {
  if (error_ != 0) return;
  if (bytes > 0 && std::fwrite(data, 1, bytes, file_) != bytes) error_ = errno;
  position_ += bytes;
}

void BundleWriter::Begin(const std::string& name) {
  static const char zeros[kBundleAlignment] = {};
  Put(zeros, (kBundleAlignment - position_ % kBundleAlignment) % kBundleAlignment);
  entries_.push_back({name, position_, 0});
}

void BundleWriter::Append(const void* data, size_t bytes) {
  Put(data, bytes);
  entries_.back().bytes += bytes;
}

void BundleWriter::Write(const std::string& name, const void* data, size_t bytes) {
  Begin(name);
  Append(data, bytes);
}

Status BundleWriter::Finish(const BundleInfo& info) {
  TensorTable tensors;
  for (const Entry& entry : entries_) tensors[entry.name] = {entry.offset, entry.bytes};
  const std::string manifest = ManifestToJson(info, tensors);
  BundleHeader header{};
  std::memcpy(header.magic, kBundleMagic, sizeof header.magic);
  header.version = kBundleVersion;
  header.manifest_offset = position_;
  header.manifest_size = manifest.size();
  header.manifest_sha256 = Sha256::Digest(manifest.data(), manifest.size());
  Put(manifest.data(), manifest.size());
  if (error_ == 0 &&
      (std::fseek(file_, 0, SEEK_SET) != 0 || std::fwrite(&header, sizeof header, 1, file_) != 1 ||
       std::fflush(file_) != 0)) {
    error_ = errno;
  }
  return status();
}

Status BundleWriter::status() const {
  if (error_ == 0) return {};
  return ResourceExhausted("cannot write {}: {}", path_, std::generic_category().message(error_));
}

}  // namespace edgegate
