// What the two kinds of model files share: tensors bound to the parts of a decoder, checked, and
// read as float.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/family/model_source.h"
#include "engine/weights/input_file.h"
#include "engine/weights/tensor_info.h"

namespace edgegate {

// Names of a decoder's tensors, "{}" standing for the layer. A null name: the file kind has none.
struct TensorNames {
  const char *embedding, *final_norm, *lm_head;
  const char *attention_norm, *q, *k, *v, *o, *qkv;
  const char *qkv_bias, *q_bias, *k_bias, *v_bias, *o_bias;
  const char *q_norm, *k_norm, *mlp_norm;
  const char *gate, *up, *gate_up, *down;
  const char *gate_bias, *up_bias, *down_bias;
};

// Files are added, then everything that the config asks for is bound, then Build() hands over.
class SourceBuilder {
 public:
  enum class VisionKind { kHuggingFace, kGguf };

  // kDataLoss when a tensor's name was seen before.
  Status AddFile(InputFile file, const std::vector<TensorInfo>& tensors);
  bool Has(const std::string& name) const { return tensors_.contains(name); }

  // Binds every part of the text model, and of the vision part where the config has one, whose
  // names are those of `kind`; the message names what is missing, misshapen, of an unsupported
  // type, or there without a place in this model (a bias that only some layers have, say): leaving
  // such a tensor out would give wrong answers in silence.
  Status Bind(const ModelConfig& config, const TensorNames& names,
              VisionKind kind = VisionKind::kHuggingFace);

  // Rows of a tensor that has two dimensions; 0: it is not there, or has others.
  int64_t RowsOf(const std::string& name) const;

  std::unique_ptr<ModelSource> Build(ModelConfig config, TokenizerAssets assets,
                                     GenerationDefaults defaults, std::vector<std::string> files);

 private:
  friend class TensorSource;
  struct Stored {
    size_t file;
    TensorInfo info;
  };
  // `rows` rows of `cols` elements each, from element `start` of a stored tensor on.
  struct Slice {
    const Stored* tensor = nullptr;
    int64_t start = 0, rows = 0, cols = 0;
  };

  Status BindPart(WeightPart part, int layer, const char* pattern, int64_t row, int64_t rows,
                  int64_t total_rows, int64_t cols);
  // Elements [start, start + size) of a vector of `total` elements; 0: of `size`.
  Status BindVector(WeightPart part, int layer, const char* pattern, int64_t size,
                    int64_t start = 0, int64_t total = 0);
  Status BindVision(const ModelConfig& config, VisionKind kind);
  Result<const Stored*> Find(const std::string& name) const;
  Status RefuseUnbound(const ModelConfig& config, const TensorNames& names) const;
  Status BindLayer(const ModelConfig& config, const TensorNames& names, int layer);
  Status BindAttention(const ModelConfig& config, const TensorNames& names, int layer);

  std::vector<InputFile> files_;
  std::map<std::string, Stored> tensors_;
  std::map<std::pair<WeightPart, int>, Slice> slices_;
};

}  // namespace edgegate
