// A published model as its author's files hold it: a Hugging Face directory or a GGUF file, opened
// and checked in full, its tensors read as float rows whatever they are stored as. Used for
// quantizing only; serving reads packed bundles.
//
// Files are untrusted: every size, offset, shape, dtype and count is checked before use, and a bad
// one gives an error with the file's name and what is wrong.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/decoder/decoder_weights.h"
#include "engine/model/model_config.h"
#include "engine/text/tokenizer_assets.h"
#include "engine/weights/tensor_info.h"

namespace edgegate {

// The matrices and vectors of a model. Linear layers are [rows = outputs][cols = inputs].
// A bias or norm is one row.
enum class WeightPart {
  kEmbedding,  // layer argument ignored for these three
  kFinalNorm,
  kLmHead,  // the embedding where config().tied_lm_head and the file has none
  kAttentionNorm,
  kQ,
  kK,
  kV,
  kO,
  kQBias,
  kKBias,
  kVBias,
  kOBias,
  kQNorm,
  kKNorm,
  kMlpNorm,
  kGate,
  kUp,
  kDown,
  kGateBias,
  kUpBias,
  kDownBias,
  // Where config().vision is set. A convolution's kernels are rows, flattened as stored.
  kPatch,
  kPatchBias,
  kPositions,
  kVisionNorm1,
  kVisionNorm1Bias,
  kVisionQ,
  kVisionQBias,
  kVisionK,
  kVisionKBias,
  kVisionV,
  kVisionVBias,
  kVisionOut,
  kVisionOutBias,
  kVisionNorm2,
  kVisionNorm2Bias,
  kFc1,
  kFc1Bias,
  kFc2,
  kFc2Bias,
  kPostNorm,
  kPostNormBias,
  kConv,
  kConvBias,
  kAdapterLinear,
  kAdapterNorm,
  kAdapterNormBias,
  kAdapterGate,
  kAdapterUp,
  kAdapterDown,
  kFirstRow,
  kLastRow,
};

// Immutable once open: any thread may call any method.
class ModelSource {
 public:
  // `path`: a directory with config.json, or a .gguf file; `mmproj`: the .gguf file with such a
  // file's vision part, or empty. Fails unless every tensor that the config asks for is there with
  // the right shape and a supported dtype.
  static Result<std::unique_ptr<ModelSource>> Open(const std::string& path,
                                                   const std::string& mmproj = "");
  // files() of such a source, found without opening the model.
  static Result<std::vector<std::string>> ListFiles(const std::string& path,
                                                    const std::string& mmproj = "");
  virtual ~ModelSource() = default;

  virtual const ModelConfig& config() const = 0;
  virtual const TokenizerAssets& tokenizer_assets() const = 0;
  virtual const GenerationDefaults& generation_defaults() const = 0;
  // The files that make up the model, absolute, for hashing and for the manifest.
  virtual const std::vector<std::string>& files() const = 0;
  // The smallest type that holds the embedding as stored (quantized GGUF types: kF16).
  virtual EmbeddingType embedding_type() const = 0;

  // Rows [row, row + count) of a part as float, [count][cols], to `out`. Fused tensors (gate_up,
  // qkv) are taken apart here. kDataLoss when a value is not finite.
  virtual Status ReadRows(WeightPart part, int layer, int row, int count, float* out) const = 0;

  // The type that a part is stored as, and the bytes of its rows [row, row + count) as they are.
  virtual TensorType StoredType(WeightPart part, int layer) const = 0;
  virtual Result<std::vector<uint8_t>> ReadStored(WeightPart part, int layer, int row,
                                                  int count) const = 0;
};

}  // namespace edgegate
