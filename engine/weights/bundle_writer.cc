#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "engine/base/sha256.h"
#include "engine/weights/bundle_format.h"
#include "engine/weights/bundle_json.h"

namespace edgegate {

BundleWriter::BundleWriter(const std::string& path)
    : path_(path), file_(std::fopen(path.c_str(), "wb")) {
  // Held while it is being written, so that a file left by a crash can be told from a living one.
  if (file_) flock(fileno(file_), LOCK_EX | LOCK_NB);
  const BundleHeader empty{};
  Put(&empty, sizeof empty);
}

BundleWriter::~BundleWriter() {
  if (file_) std::fclose(file_);
}

void BundleWriter::Put(const void* data, size_t bytes) {
  if (!file_ || failed_) return;
  failed_ = bytes > 0 && std::fwrite(data, 1, bytes, file_) != bytes;
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
  if (file_ && !failed_) {
    failed_ = std::fseek(file_, 0, SEEK_SET) != 0 ||
              std::fwrite(&header, sizeof header, 1, file_) != 1 || std::fflush(file_) != 0 ||
              fsync(fileno(file_)) != 0;
  }
  if (!file_ || failed_) {
    return ResourceExhausted("cannot write {}: {}", path_, std::strerror(errno));
  }
  return {};
}

}  // namespace edgegate
