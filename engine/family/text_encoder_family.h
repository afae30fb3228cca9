// The interface of a family of text encoders, such as BERT: how its config is read, its table of
// tensors, its quantization and its encoder. A family is one folder that implements these
// interfaces, and one row in registry.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/base/thread_pool.h"
#include "engine/model/embedding_config.h"
#include "engine/model/text_encoder.h"
#include "engine/ops/linear/int8/matmul.h"
#include "engine/weights/bundle_format.h"
#include "engine/weights/bundle_reader.h"
#include "engine/weights/json.h"
#include "engine/weights/tensor_files.h"

namespace edgegate {

struct TextEncoderOptions {
  ThreadPool* pool = nullptr;  // must outlive the encoder; null: the calling thread computes alone
  int max_batched_tokens = 512;  // raised to the longest text
  Int8MatMul::Backend backend = Int8MatMul::Backend::kAuto;
};

// The config of a text encoder. Immutable: any thread may call any method.
class TextEncoderConfig {
 public:
  virtual ~TextEncoderConfig() = default;

  // Returns the registered name of the family.
  virtual const char* family() const = 0;
  virtual int vocab_size() const = 0;
  // Returns the maximum number of tokens of a text.
  virtual int max_tokens() const = 0;
  // Returns the fields as a JSON object, for a bundle's manifest.
  virtual std::string ToJson() const = 0;
};

// The weights of an encoder in the layout that it computes in. They are views of a bundle, whose
// memory must outlive every user. Immutable: any thread may call any method.
class TextEncoderWeights {
 public:
  virtual ~TextEncoderWeights() = default;
  virtual const TextEncoderConfig& config() const = 0;
  // Makes an encoder. The weights must outlive it. Throws std::bad_alloc.
  virtual std::unique_ptr<TextEncoder> MakeEncoder(const TextEncoderOptions& options) const = 0;
};

// The encoder's tensors in the files of a published model. Immutable: any thread may call any
// method.
class TextEncoderSource {
 public:
  virtual ~TextEncoderSource() = default;
  virtual const TextEncoderConfig& config() const = 0;
  // Returns the processor time that Quantize() is expected to take, in the unit of
  // quantize/work_sizes.h.
  virtual double Work() const = 0;
  // Writes the encoder's tensors to the bundle. Calls `progress` with the work since its last call;
  // the sum of all calls is Work(). An error from `progress` ends the work and is returned.
  virtual Status Quantize(const TensorFiles& files, BundleWriter* writer,
                          const std::function<Status(double work)>& progress) const = 0;
};

// A family. Immutable: any thread may call any method.
class TextEncoderFamily {
 public:
  using Config = std::shared_ptr<const TextEncoderConfig>;
  using Source = std::unique_ptr<const TextEncoderSource>;
  using Weights = std::shared_ptr<const TextEncoderWeights>;

  virtual ~TextEncoderFamily() = default;

  // Returns the family's name in bundles. It must never change.
  virtual const char* name() const = 0;

  // Read and check the config, from config.json or from the output of TextEncoderConfig::ToJson().
  // The first returns null if the config is not one of this family. kUnimplemented: the encoder
  // does not support a value.
  virtual Result<Config> FromHuggingFace(const Json& config,
                                         const EmbeddingConfig& embedding) const = 0;
  virtual Result<Config> FromBundle(const Json& config) const = 0;

  // Binds the encoder's tensors. `config` must be of this family, here and below. Refuses tensors
  // that are not bound and that could change embeddings. Errors are those of TensorFiles.
  virtual Result<Source> Bind(Config config, TensorFiles* tensors) const = 0;

  // Returns views of the weights in a bundle. `bundle` stores the first error: a tensor is missing
  // or has another size.
  virtual Weights Load(Config config, BundleReader* bundle) const = 0;
};

}  // namespace edgegate
