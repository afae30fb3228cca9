// A mapped bundle: its manifest, and its tensors by name. Families read their weights with it
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

// Reads a bundle. Pointers that it returns are views of the mapping. Owned by one thread.
class BundleReader : public TensorReader {
 public:
  // Maps a bundle. Files are untrusted: checks the header, the hash of the manifest and its fields.
  // kNotFound, kInvalidArgument, kResourceExhausted: see FileMapping::Map(). kDataLoss: the file is
  // damaged, or it changed while it was read. kUnimplemented: another version of the format.
  static Result<std::unique_ptr<BundleReader>> Open(const std::string& path);

  const std::string& manifest_json() const { return manifest_; }
  const BundleInfo& info() const { return info_; }
  bool Has(const std::string& name) const override { return tensors_.contains(name); }

  // Returns the first error of the functions below. After an error they return null.
  const Status& status() const { return status_; }
  // Returns the number of bytes of all tensors that were found.
  size_t tensor_bytes() const { return tensor_bytes_; }

  // Returns the tensor's bytes. Null: there is no tensor of this name, or its size is not `size`. A
  // `size` of -1 allows any size.
  const void* Find(const std::string& name, int64_t size);
  // Returns a tensor of `count` floats, as Find() does.
  const float* Floats(const std::string& name, int64_t count);
  // Returns a copy of a tensor's bytes. Empty: there is none.
  std::string Text(const std::string& name);
  const void* Read(const std::string& name, int64_t bytes) override { return Find(name, bytes); }
  // Returns a linear layer of n outputs and k inputs, INT8 or INT16.
  Linear Int8(const std::string& name, int n, int k, bool bias);
  // Returns a linear layer in the format that its tensors have.
  Linear OfAnyFormat(const std::string& name, int n, int k, bool bias);
  // Returns a linear layer of the decoder, in the bundle's weight format.
  Linear OfFormat(const std::string& name, int n, int k, bool bias);

  // kDataLoss: the file has changed since Open() (FileMapping::CheckIntact).
  Status CheckIntact() const { return mapping_.CheckIntact(); }
  // Returns the mapping, which must outlive all views. The reader must not be used afterwards.
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
