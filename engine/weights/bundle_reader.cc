#include "engine/weights/bundle_reader.h"

#include <cstring>

#include "engine/base/sha256.h"
#include "engine/ops/linear/weight_formats.h"

namespace edgegate {

Result<std::unique_ptr<BundleReader>> BundleReader::Open(const std::string& path) {
  EG_ASSIGN_OR_RETURN(FileMapping mapping, FileMapping::Map(path));
  std::unique_ptr<BundleReader> reader(new BundleReader(std::move(mapping)));
  const Status status = reader->ReadManifest();
  EG_RETURN_IF_ERROR(reader->mapping_.CheckIntact());  // otherwise the checked bytes may be gone
  if (!status.ok()) return status.WithContext(path);
  return reader;
}

Status BundleReader::ReadManifest() {
  const auto bytes = mapping_.bytes();
  BundleHeader header;
  if (bytes.size() < sizeof header) return DataLoss("no bundle: {} bytes long", bytes.size());
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, kBundleMagic, sizeof header.magic) != 0) {
    return DataLoss("no bundle: wrong magic at offset 0");
  }
  if (header.version != kBundleVersion) {
    return Unimplemented("bundle format {}, this edgegate reads {}: quantize the model again",
                         header.version, kBundleVersion);
  }
  if (header.manifest_offset > bytes.size() ||
      header.manifest_size > bytes.size() - header.manifest_offset) {
    return DataLoss("manifest of {} bytes at offset {} passes the end ({} bytes)",
                    header.manifest_size, header.manifest_offset, bytes.size());
  }
  manifest_.assign(reinterpret_cast<const char*>(bytes.data()) + header.manifest_offset,
                   header.manifest_size);
  if (Sha256::Digest(manifest_.data(), manifest_.size()) != header.manifest_sha256) {
    return DataLoss("the manifest does not match its SHA-256: the file is damaged");
  }
  return ManifestFromJson(manifest_, &info_, &tensors_);
}

const void* BundleReader::Find(const std::string& name, int64_t size) {
  if (!status_.ok()) return nullptr;
  auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    status_ = DataLoss("tensor {} is missing", name);
    return nullptr;
  }
  const auto [offset, bytes] = found->second;
  const uint64_t file = mapping_.bytes().size();
  if (offset % kBundleAlignment != 0 || offset > file || bytes > file - offset ||
      (size >= 0 && bytes != static_cast<uint64_t>(size))) {
    status_ = DataLoss("tensor {}: {} bytes at offset {} of {}; {} were expected", name, bytes,
                       offset, file, size);
    return nullptr;
  }
  tensor_bytes_ += bytes;
  return mapping_.bytes().data() + offset;
}

const float* BundleReader::Floats(const std::string& name, int64_t count) {
  return static_cast<const float*>(Find(name, count * 4));
}

std::string BundleReader::Text(const std::string& name) {
  const auto* data = static_cast<const char*>(Find(name, -1));
  return data ? std::string(data, tensors_[name].second) : std::string();
}

Linear BundleReader::Int8(const std::string& name, int n, int k, bool bias) {
  return InfoOf(kWeightFormat<Int8Format>).load(this, name, {n, k}, bias);
}

Linear BundleReader::OfAnyFormat(const std::string& name, int n, int k, bool bias) {
  return LoadAnyFormat(this, name, {n, k}, bias);
}

Linear BundleReader::OfFormat(const std::string& name, int n, int k, bool bias) {
  return InfoOf(info_.format).load(this, name, {n, k}, bias);
}

}  // namespace edgegate
