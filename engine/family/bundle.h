// The packed bundle: one file with a model's weights in the layout that the engine computes in, its
// tokenizer, its chat template and its suggested sampling parameters. The file is mapped, so that
// the time to open it does not grow with the model. MoveToHugePages() makes reading the weights
// faster, and independent of the file.
//
// Layout: a 64-byte header, the tensors, each 4096-byte aligned, and the manifest (JSON: source,
// hashes, config, tensor table). bundle_format.h has the details.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/family/decoder/decoder_weights.h"
#include "engine/family/text_encoder_family.h"
#include "engine/text/tokenizer_assets.h"

namespace edgegate {

// An open bundle. Immutable: any thread may call any const method.
class Bundle {
 public:
  // Opens a bundle. Files are untrusted: checks everything except the values of the tensors.
  // kNotFound, kInvalidArgument, kResourceExhausted: see FileMapping::Map(). kDataLoss: the file is
  // damaged, or it changed while it was read. kUnimplemented: another version of the format, or a
  // family that is not built in.
  static Result<std::unique_ptr<Bundle>> Open(const std::string& path);
  virtual ~Bundle() = default;

  // Returns the weights of a text encoder. Null: the bundle has a decoder.
  virtual const TextEncoderWeights* text_encoder() const = 0;
  // Returns the weights of a decoder, valid while the bundle lives. Precondition: text_encoder() is
  // null.
  virtual const DecoderWeights& weights() const = 0;
  virtual const TokenizerAssets& tokenizer_assets() const = 0;
  virtual const GenerationDefaults& generation_defaults() const = 0;
  virtual const std::string& manifest_json() const = 0;
  virtual size_t weights_bytes() const = 0;  // bytes of all tensors

  // kDataLoss: the file was truncated or overwritten while in use, so that results since the last
  // call may be wrong (FileMapping::CheckIntact). Takes about a microsecond. Always OK after
  // MoveToHugePages() has moved all bytes.
  virtual Status CheckIntact() const = 0;

  // Moves the weights to huge pages while other threads read them (FileMapping::MoveToHugePages).
  // Returns the number of bytes moved. Called by one thread.
  virtual size_t MoveToHugePages(const std::function<bool()>& stop) = 0;
};

// True if the file starts with the magic of a bundle. Thread-safe.
bool IsBundle(const std::string& path);

}  // namespace edgegate
