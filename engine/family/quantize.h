// Quantizes a published model to a packed bundle: INT8, with SmoothQuant factors (Xiao et al. 2022,
// arXiv:2211.10438, alpha = 0.5) from a calibration text, which are folded into the norm weights,
// the up-projection rows and the value-projection rows; or 4-bit (decoder/int4_quantize.h).
//
// Works layer by layer: peak memory is a few layers plus the calibration activations.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/family/model_source.h"

namespace edgegate {

struct QuantizeOptions {
  WeightFormat format = kWeightFormat<Int8Format>;
  std::string calibration_text;      // empty: the built-in text
  int max_calibration_tokens = 512;  // of a sequence: INT8 sees one, 4 bits see four
  // INT8 decoders and media encoders of up to this many columns have a residual
  // (ops/linear/int8_residual): about 14 bits. This costs little in narrow models. In wide ones
  // more of the error averages out, and 8 bits suffice.
  int residual_width = 512;
  // Called with the work done and the total, which are in proportion to time, and the name of the
  // step. `done` never falls, and is `total` once the bundle is complete. False stops the work,
  // which then fails with kCancelled. May be empty.
  std::function<bool(int done, int total, std::string_view what)> progress;
};

// Writes the bundle to `destination`, through a temporary file beside it that is renamed at the
// end (PartFile), so that a reader never sees half a bundle and other processes may do the same at
// once. Temporary files that a crash left there are removed. The same source and options give the
// same bytes. kResourceExhausted: the disk is full or cannot be written. kDataLoss: a source file
// was changed meanwhile.
Status Quantize(const ModelSource& source, const std::string& destination,
                const QuantizeOptions& options);

// The path of a bundle for `model_path`: `model_path` itself where it is a bundle, else the one in
// `cache_dir` that was quantized from the same files (path, sizes, modification times, format
// version, weight format and calibration agree); nullopt where there is none. Does not read the
// model. `mmproj`: see ModelSource::Open.
Result<std::optional<std::string>> FindBundle(const std::string& model_path,
                                              const std::string& mmproj,
                                              const std::string& cache_dir,
                                              const QuantizeOptions& options);

// The path that FindBundle() gives. Where there is none, quantizes the model into the cache.
// Several processes may do so at once.
Result<std::string> EnsureBundle(const std::string& model_path, const std::string& mmproj,
                                 const std::string& cache_dir, const QuantizeOptions& options);

}  // namespace edgegate
