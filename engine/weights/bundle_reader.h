// A mapped bundle: its manifest, and its tensors by name. Families read their weights through it
// (engine/family/).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/ops/linear/linear.h"
#include "engine/ops/linear/tensors.h"
#include "engine/weights/bundle_format.h"
#include "engine/weights/bundle_json.h"
#include "engine/weights/file_mapping.h"

namespace edgegate {

// Owned by one thread. Pointers that it gives are views of the mapping.
class BundleReader : public TensorReader {
 public:
  // Files are untrusted: the header, the manifest's hash and its fields are checked. kDataLoss: the
  // file is damaged, or changed meanwhile. kUnimplemented: another version of the format.
  static Result<std::unique_ptr<BundleReader>> Open(const std::string& path);

  const std::string& manifest_json() const { return manifest_; }
  const BundleInfo& info() const { return info_; }
  bool Has(const std::string& name) const override { return tensors_.contains(name); }

  // The first failure of the methods below. After it they give null.
  const Status& status() const { return status_; }
  // Size of all tensors that were found.
  size_t tensor_bytes() const { return tensor_bytes_; }

  // The tensor's bytes, which must be `size`; -1: any number.
  const void* Find(const std::string& name, int64_t size);
  const float* Floats(const std::string& name, int64_t count);
  std::string Text(const std::string& name);
  const void* Read(const std::string& name, int64_t bytes) override { return Find(name, bytes); }
  // A linear layer of n outputs and k inputs, INT8 with or without a residual.
  Linear Int8(const std::string& name, int n, int k, bool bias);
  // A linear layer of the decoder, in the bundle's weight format.
  Linear OfFormat(const std::string& name, int n, int k, bool bias);

  // kDataLoss when the file has changed since Open() (FileMapping::CheckIntact).
  Status CheckIntact() const { return mapping_.CheckIntact(); }
  // Hands over the mapping, which the views need.
  FileMapping TakeMapping() { return std::move(mapping_); }

 private:
  explicit BundleReader(FileMapping mapping) : mapping_(std::move(mapping)) {}
  Status ReadManifest();

  FileMapping mapping_;
  std::string manifest_;
  BundleInfo info_;
  TensorTable tensors_;
  size_t tensor_bytes_ = 0;
  Status status_;
};

}  // namespace edgegate
