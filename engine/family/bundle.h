// The packed bundle: one file with a model's weights in the layout that the engine computes in, its
// tokenizer, chat template and suggested sampling. The file is mapped, so that the time to open it
// does not grow with the model. MoveToHugePages() then makes reading the weights faster, and
// independent of the file.
//
// Layout: a 64-byte header, the tensors, each 4096-byte aligned, and the manifest (JSON: source,
// hashes, config, tensor table). bundle_format.h has the details.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/family/decoder/decoder_weights.h"
#include "engine/text/tokenizer_assets.h"

namespace edgegate {

// Immutable once open: any thread may call any const method.
class Bundle {
 public:
  // Files are untrusted: all but the tensors' contents is checked. kDataLoss: the file is damaged,
  // or changes meanwhile. kUnimplemented: another version of the format, or a family that is not
  // built in.
  static Result<std::unique_ptr<Bundle>> Open(const std::string& path);
  virtual ~Bundle() = default;

  virtual const DecoderWeights& weights() const = 0;  // valid while the bundle lives
  virtual const TokenizerAssets& tokenizer_assets() const = 0;
  virtual const GenerationDefaults& generation_defaults() const = 0;
  virtual const std::string& manifest_json() const = 0;
  virtual size_t weights_bytes() const = 0;  // size of all tensors

  // kDataLoss when the file was truncated or overwritten while in use: results that were computed
  // since the last call may be wrong (FileMapping::CheckIntact). Takes about a microsecond. Always
  // OK once MoveToHugePages() has moved everything.
  virtual Status CheckIntact() const = 0;

  // Moves the weights to huge pages while others read them (FileMapping::MoveToHugePages); gives
  // the bytes moved. Called by one thread.
  virtual size_t MoveToHugePages(const std::function<bool()>& stop) = 0;
};

// True if the file starts with a bundle's magic.
bool IsBundle(const std::string& path);

}  // namespace edgegate
