// Quantizes a published model to a packed bundle. The format is INT8 or 4-bit
// (decoder/int4_quantize.h). INT8 uses SmoothQuant factors (Xiao et al. 2022, arXiv:2211.10438,
// alpha = 0.5) from a calibration text. They are folded into the norm weights, the up-projection
// rows and the value-projection rows.
//
// Layers are processed one by one. So the peak memory is a few layers plus the calibration
// activations. The functions compute with the threads of ThreadPool::Current().
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/family/model_source.h"

namespace edgegate {

// The options of Quantize(). They are part of the key of a cached bundle, except for `progress`.
struct QuantizeOptions {
  WeightFormat format = kWeightFormat<Int8Format>;       // of the layers
  WeightFormat head_format = kWeightFormat<Int8Format>;  // of lm_head
  std::string calibration_text;                          // empty: the built-in text
  int max_calibration_tokens = 512;                      // of a sequence; INT8 uses 1, 4-bit uses 4
  // INT8 decoders and media encoders of up to this number of columns are INT16 (ops/linear/int16).
  // This costs little in narrow models. In wide models more of the error averages out, and 8 bits
  // are enough.
  int narrow_width = 512;
  // Called with the work done and the total, which are in proportion to time, and the name of the
  // step. `done` never falls. It is `total` when the bundle is complete. If the function returns
  // false, the work stops and fails with kCancelled. May be empty.
  std::function<bool(int done, int total, std::string_view what)> progress;
};

// Writes the bundle to `destination`. Writes a temporary file beside it and renames it at the end
// (PartFile). So a reader never sees an incomplete bundle, and several processes may do the same at
// once. Removes temporary files that a crash left there. The same source and options give the same
// bytes. kResourceExhausted: the disk is full or cannot be written. kDataLoss: a source file was
// changed while it was read. kCancelled: see QuantizeOptions::progress.
Status Quantize(const ModelSource& source, const std::string& destination,
                const QuantizeOptions& options);

// Returns the path of a bundle for `model_path`, without reading the model. If `model_path` is a
// bundle, this is `model_path`. Otherwise it is the bundle in `cache_dir` that was quantized from
// the same files with the same options: path, sizes, modification times, format version, weight
// format and calibration agree. nullopt: there is none. `mmproj`: see ModelSource::Open.
Result<std::optional<std::string>> FindBundle(const std::string& model_path,
                                              const std::string& mmproj,
                                              const std::string& cache_dir,
                                              const QuantizeOptions& options);

// Returns the path that FindBundle() returns. If there is none, quantizes the model into the cache.
// Several processes may do so at once. Errors are those of ModelSource::Open() and Quantize().
Result<std::string> EnsureBundle(const std::string& model_path, const std::string& mmproj,
                                 const std::string& cache_dir, const QuantizeOptions& options);

}  // namespace edgegate
