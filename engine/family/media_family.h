// The interface of a family of media encoders (vision, audio): how its config is read, its table of
// tensors, its quantization and its encoder. A family is one folder that implements these
// interfaces, and one row in registry.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/thread_pool.h"
#include "engine/model/media.h"
#include "engine/model/model_config.h"
#include "engine/ops/linear/int8/matmul.h"
#include "engine/weights/bundle_format.h"
#include "engine/weights/bundle_reader.h"
#include "engine/weights/gguf.h"
#include "engine/weights/json.h"
#include "engine/weights/tensor_files.h"

namespace edgegate {

struct MediaEncoderOptions {
  ThreadPool* pool = nullptr;  // must outlive the encoder; null: the calling thread computes alone
  Int8MatMul::Backend backend = Int8MatMul::Backend::kAuto;
};

// The weights of an encoder in the layout that it computes in. They are views of a bundle or of
// random weights, whose memory must outlive every user. Immutable: any thread may call any method.
class MediaWeights {
 public:
  virtual ~MediaWeights() = default;
  // Makes an encoder. The weights must outlive it. Throws std::bad_alloc.
  virtual std::unique_ptr<MediaEncoder> MakeEncoder(const ModelConfig& config,
                                                    const MediaEncoderOptions& options) const = 0;
};

// The encoder's tensors in the files of a published model. Immutable: any thread may call any
// method.
class MediaSource {
 public:
  virtual ~MediaSource() = default;

  // Returns the processor time that Quantize() is expected to take, in the unit of
  // quantize/work_sizes.h.
  virtual double Work() const = 0;
  // Returns the number of rows that Quantize() returns.
  virtual int calibration_rows() const = 0;
  // Writes the encoder's tensors to the bundle, calibrated on an item of its own. Linear layers of
  // up to `narrow_width` columns are INT16 (QuantizeOptions). Calls `progress` with the
  // work since its last call; the sum of all calls is Work(). An error from `progress` ends the
  // work and is returned. Returns the item's rows, float [calibration_rows()][hidden_size], which
  // calibrate the decoder.
  virtual Result<std::vector<float>> Quantize(
      const TensorFiles& files, int narrow_width, BundleWriter* writer,
      const std::function<Status(double work)>& progress) const = 0;
};

// A family. Immutable: any thread may call any method.
class MediaFamily {
 public:
  using Config = std::shared_ptr<const MediaConfig>;
  using Source = std::unique_ptr<const MediaSource>;
  using Weights = std::shared_ptr<const MediaWeights>;
  enum class FileKind { kHuggingFace, kGguf };

  virtual ~MediaFamily() = default;

  // Returns the family's name in bundles. It must never change.
  virtual const char* name() const = 0;

  // Read and check the config: from config.json, from a GGUF file beside the decoder's (mmproj), or
  // from the output of MediaConfig::ToJson(). The files must have been added to `tensors`. The
  // first two return null if the config is not one of this family. kUnimplemented: the encoder does
  // not support a value.
  virtual Result<Config> FromHuggingFace(const Json& config, const TensorFiles& tensors) const = 0;
  virtual Result<Config> FromGguf(const GgufFile& file, const TensorFiles& tensors) const = 0;
  virtual Result<Config> FromBundle(const Json& config) const = 0;

  // Binds the encoder's tensors. `config.media` must be of this family, here and below. Errors are
  // those of TensorFiles.
  virtual Result<Source> Bind(const ModelConfig& config, FileKind kind,
                              TensorFiles* tensors) const = 0;
  // True if a tensor that was not bound has no effect on answers.
  virtual bool Ignores(const std::string& tensor) const = 0;

  // Returns views of the weights in a bundle. `bundle` stores the first error: a tensor is missing
  // or has another size.
  virtual Weights Load(const ModelConfig& config, BundleReader* bundle) const = 0;
};

}  // namespace edgegate
