#include "engine/weights/bundle_reader.h"

#include <cstring>

#include "engine/base/sha256.h"
#include "engine/ops/linear/int4/pack.h"

namespace edgegate {

Result<std::unique_ptr<BundleReader>> BundleReader::Open(const std::string& path) {
  EG_ASSIGN_OR_RETURN(FileMapping mapping, FileMapping::Map(path));
  std::unique_ptr<BundleReader> reader(new BundleReader(std::move(mapping)));
  const Status status = reader->ReadManifest();
  EG_RETURN_IF_ERROR(reader->mapping_.CheckIntact());  // else what was checked may be gone
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

Int8Linear BundleReader::Int8(const std::string& name, int n, int k, bool bias) {
  Int8Linear w;
  w.n = n;
  w.k = k;
  const int64_t rows = w.n_padded();
  w.packed = static_cast<const int8_t*>(Find(name + ".packed", rows * w.k_padded()));
  w.scale = Floats(name + ".scale", rows);
  w.column_sum = static_cast<const int32_t*>(Find(name + ".column_sum", rows * 4));
  if (bias) w.bias = Floats(name + ".bias", rows);
  return w;
}

Linear BundleReader::Fine(const std::string& name, int n, int k, bool bias) {
  Linear w{.main = Int8(name, n, k, bias), .rest = {}, .int4 = {}};
  if (tensors_.contains(name + ".rest.packed")) w.rest = Int8(name + ".rest", n, k, false);
  return w;
}

Linear BundleReader::OfFormat(const std::string& name, int n, int k, bool bias) {
  if (info_.format != WeightFormat::kInt4) return Fine(name, n, k, bias);
  Linear w;
  w.int4.n = n;
  w.int4.k = k;
  const bool wide = tensors_.contains(name + ".int4x64");
  w.int4.group = wide ? kInt4WideGroup : kInt4Group;
  w.int4.packed = static_cast<const uint8_t*>(
      Find(name + (wide ? ".int4x64" : ".int4"), Int4PackedBytes(n, k, w.int4.group)));
  if (bias) w.int4.bias = Floats(name + ".bias", w.int4.n_padded());
  return w;
}

}  // namespace edgegate
