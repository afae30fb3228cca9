#include "engine/family/source_builder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "engine/family/glm_edge_v/vision_tensors.h"
#include "engine/weights/dequantize.h"

namespace edgegate {
namespace {

constexpr uint64_t kReadBytes = uint64_t{1} << 18;  // stays in a core's cache

bool AllFinite(const float* values, int64_t count) {
  // Without a branch, for vectors: an exponent of ones is infinity or no number.
  constexpr uint32_t kExponent = 0x7f800000;
  uint32_t bad = 0;
  for (int64_t i = 0; i < count; ++i) {
    bad |= (std::bit_cast<uint32_t>(values[i]) & kExponent) == kExponent ? 1 : 0;
  }
  return bad == 0;
}

}  // namespace

// The opened model: slices of tensors, read and dequantized on demand.
class TensorSource : public ModelSource {
 public:
  const ModelConfig& config() const override { return config_; }
  const TokenizerAssets& tokenizer_assets() const override { return assets_; }
  const GenerationDefaults& generation_defaults() const override { return defaults_; }
  const std::vector<std::string>& files() const override { return paths_; }

  EmbeddingType embedding_type() const override {
    switch (*slices_.at({WeightPart::kEmbedding, 0}).tensor->info.type) {
      case TensorType::kF32:
        return EmbeddingType::kF32;
      case TensorType::kBf16:
        return EmbeddingType::kBf16;
      default:
        return EmbeddingType::kF16;
    }
  }

  Status ReadRows(WeightPart part, int layer, int row, int count, float* out) const override {
    EG_ASSIGN_OR_RETURN(const SourceBuilder::Slice slice, SliceOf(part, layer, row, count));
    const TensorInfo& info = slice.tensor->info;
    // Some rows at a time: the request may be for a whole embedding table.
    const int step = static_cast<int>(
        std::max<uint64_t>(1, kReadBytes / std::max<uint64_t>(1, RowBytes(slice))));
    std::vector<uint8_t> raw;
    for (int done = 0; done < count; done += step) {
      const int rows = std::min(step, count - done);
      EG_RETURN_IF_ERROR(Read(slice, row + done, rows, &raw));
      float* values = out + slice.cols * done;
      Dequantize(*info.type, raw.data(), slice.cols * rows, values);
      if (AllFinite(values, slice.cols * rows)) continue;
      int64_t i = 0;
      while (std::isfinite(values[i])) ++i;
      return DataLoss("{}: tensor {} has a value that is not finite at element {}",
                      files_[slice.tensor->file].path(), info.name,
                      slice.start + slice.cols * (row + done) + i);
    }
    return {};
  }

  TensorType StoredType(WeightPart part, int layer) const override {
    return *slices_.at({part, layer}).tensor->info.type;
  }

  Result<std::vector<uint8_t>> ReadStored(WeightPart part, int layer, int row,
                                          int count) const override {
    EG_ASSIGN_OR_RETURN(const SourceBuilder::Slice slice, SliceOf(part, layer, row, count));
    std::vector<uint8_t> raw;
    EG_RETURN_IF_ERROR(Read(slice, row, count, &raw));
    return raw;
  }

 private:
  friend class SourceBuilder;

  Result<SourceBuilder::Slice> SliceOf(WeightPart part, int layer, int row, int count) const {
    auto found = slices_.find({part, layer});
    if (found == slices_.end()) return Internal("part {} is not bound", static_cast<int>(part));
    const SourceBuilder::Slice& slice = found->second;
    if (row < 0 || count < 0 || row + int64_t{count} > slice.rows) {
      return Internal("rows {} + {} of {}", row, count, slice.rows);
    }
    return slice;
  }

  static uint64_t RowBytes(const SourceBuilder::Slice& slice) {
    const BlockShape block = BlockOf(*slice.tensor->info.type);
    return static_cast<uint64_t>(slice.cols / block.elements * block.bytes);
  }

  Status Read(const SourceBuilder::Slice& slice, int row, int count,
              std::vector<uint8_t>* raw) const {
    const TensorInfo& info = slice.tensor->info;
    const BlockShape block = BlockOf(*info.type);
    const uint64_t start =
        info.offset + static_cast<uint64_t>(slice.start / block.elements * block.bytes);
    raw->resize(RowBytes(slice) * static_cast<uint64_t>(count));
    return files_[slice.tensor->file].ReadAt(start + RowBytes(slice) * static_cast<uint64_t>(row),
                                             raw->size(), raw->data());
  }

  ModelConfig config_;
  TokenizerAssets assets_;
  GenerationDefaults defaults_;
  std::vector<std::string> paths_;
  std::vector<InputFile> files_;
  std::map<std::string, SourceBuilder::Stored> tensors_;
  std::map<std::pair<WeightPart, int>, SourceBuilder::Slice> slices_;
};

namespace {

std::string NameOf(const char* pattern, int layer) {
  return fmt::format(fmt::runtime(pattern), layer);
}

}  // namespace

Status SourceBuilder::AddFile(InputFile file, const std::vector<TensorInfo>& tensors) {
  for (const TensorInfo& info : tensors) {
    if (!tensors_.emplace(info.name, Stored{files_.size(), info}).second) {
      return DataLoss("{}: tensor {} is in another file too", file.path(), info.name);
    }
  }
  files_.push_back(std::move(file));
  return {};
}

Result<const SourceBuilder::Stored*> SourceBuilder::Find(const std::string& name) const {
  auto found = tensors_.find(name);
  if (found == tensors_.end()) return DataLoss("tensor {} is missing", name);
  const Stored& stored = found->second;
  if (!stored.info.type) {
    return Unimplemented(
        "{}: tensor {} is {}: not supported; these are: F32, F16, BF16 and GGUF's Q4_0, Q4_1, "
        "Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K",
        files_[stored.file].path(), name, stored.info.type_name);
  }
  return &stored;
}

Status SourceBuilder::BindPart(WeightPart part, int layer, const char* pattern, int64_t row,
                               int64_t rows, int64_t total_rows, int64_t cols) {
  EG_ASSIGN_OR_RETURN(const Stored* stored, Find(NameOf(pattern, layer)));
  const auto& shape = stored->info.shape;
  if (shape.size() != 2 || shape[0] != total_rows || shape[1] != cols) {
    return DataLoss("{}: tensor {} has shape {}: must be [{}, {}]", files_[stored->file].path(),
                    stored->info.name, ShapeText(shape), total_rows, cols);
  }
  slices_[{part, layer}] = {stored, row * cols, rows, cols};
  return {};
}

Status SourceBuilder::BindVector(WeightPart part, int layer, const char* pattern, int64_t size,
                                 int64_t start, int64_t total) {
  if (total == 0) total = size;
  EG_ASSIGN_OR_RETURN(const Stored* stored, Find(NameOf(pattern, layer)));
  const auto& shape = stored->info.shape;
  if (shape != std::vector<int64_t>{total} && shape != std::vector<int64_t>{1, total}) {
    return DataLoss("{}: tensor {} has shape {}: must be [{}]", files_[stored->file].path(),
                    stored->info.name, ShapeText(shape), total);
  }
  const int64_t block = BlockOf(*stored->info.type).elements;
  if (start % block != 0 || size % block != 0) {
    return Unimplemented("{}: tensor {} is {}: its parts are no whole blocks",
                         files_[stored->file].path(), stored->info.name, stored->info.type_name);
  }
  slices_[{part, layer}] = {stored, start, 1, size};
  return {};
}

Status SourceBuilder::BindAttention(const ModelConfig& c, const TensorNames& n, int layer) {
  const int64_t q = c.q_size(), kv = c.kv_size(), all = q + 2 * kv, h = c.hidden_size;
  if (n.qkv && Has(NameOf(n.qkv, layer))) {
    EG_RETURN_IF_ERROR(BindPart(WeightPart::kQ, layer, n.qkv, 0, q, all, h));
    EG_RETURN_IF_ERROR(BindPart(WeightPart::kK, layer, n.qkv, q, kv, all, h));
    EG_RETURN_IF_ERROR(BindPart(WeightPart::kV, layer, n.qkv, q + kv, kv, all, h));
  } else {
    EG_RETURN_IF_ERROR(BindPart(WeightPart::kQ, layer, n.q, 0, q, q, h));
    EG_RETURN_IF_ERROR(BindPart(WeightPart::kK, layer, n.k, 0, kv, kv, h));
    EG_RETURN_IF_ERROR(BindPart(WeightPart::kV, layer, n.v, 0, kv, kv, h));
  }
  EG_RETURN_IF_ERROR(BindPart(WeightPart::kO, layer, n.o, 0, h, h, q));
  if (c.qkv_bias && n.qkv_bias && Has(NameOf(n.qkv_bias, layer))) {
    EG_RETURN_IF_ERROR(BindVector(WeightPart::kQBias, layer, n.qkv_bias, q, 0, all));
    EG_RETURN_IF_ERROR(BindVector(WeightPart::kKBias, layer, n.qkv_bias, kv, q, all));
    EG_RETURN_IF_ERROR(BindVector(WeightPart::kVBias, layer, n.qkv_bias, kv, q + kv, all));
  } else if (c.qkv_bias) {
    EG_RETURN_IF_ERROR(BindVector(WeightPart::kQBias, layer, n.q_bias, q));
    EG_RETURN_IF_ERROR(BindVector(WeightPart::kKBias, layer, n.k_bias, kv));
    EG_RETURN_IF_ERROR(BindVector(WeightPart::kVBias, layer, n.v_bias, kv));
  }
  if (c.o_bias) EG_RETURN_IF_ERROR(BindVector(WeightPart::kOBias, layer, n.o_bias, h));
  if (c.qk_norm) {
    EG_RETURN_IF_ERROR(BindVector(WeightPart::kQNorm, layer, n.q_norm, c.head_dim));
    EG_RETURN_IF_ERROR(BindVector(WeightPart::kKNorm, layer, n.k_norm, c.head_dim));
  }
  return {};
}

Status SourceBuilder::BindLayer(const ModelConfig& c, const TensorNames& n, int layer) {
  const int64_t h = c.hidden_size, f = c.intermediate_size;
  EG_RETURN_IF_ERROR(BindVector(WeightPart::kAttentionNorm, layer, n.attention_norm, h));
  EG_RETURN_IF_ERROR(BindVector(WeightPart::kMlpNorm, layer, n.mlp_norm, h));
  EG_RETURN_IF_ERROR(BindAttention(c, n, layer));
  if (n.gate_up) {
    EG_RETURN_IF_ERROR(BindPart(WeightPart::kGate, layer, n.gate_up, 0, f, 2 * f, h));
    EG_RETURN_IF_ERROR(BindPart(WeightPart::kUp, layer, n.gate_up, f, f, 2 * f, h));
  } else {
    EG_RETURN_IF_ERROR(BindPart(WeightPart::kGate, layer, n.gate, 0, f, f, h));
    EG_RETURN_IF_ERROR(BindPart(WeightPart::kUp, layer, n.up, 0, f, f, h));
  }
  EG_RETURN_IF_ERROR(BindPart(WeightPart::kDown, layer, n.down, 0, h, h, f));
  if (c.mlp_bias) {
    EG_RETURN_IF_ERROR(BindVector(WeightPart::kGateBias, layer, n.gate_bias, f));
    EG_RETURN_IF_ERROR(BindVector(WeightPart::kUpBias, layer, n.up_bias, f));
    EG_RETURN_IF_ERROR(BindVector(WeightPart::kDownBias, layer, n.down_bias, h));
  }
  return {};
}

// Convolutions have four dimensions, and boi and eoi three; all are rows of so many values.
Status SourceBuilder::BindVision(const ModelConfig& config, VisionKind kind) {
  for (const VisionTensor& t : VisionTensors(*config.vision, config.hidden_size)) {
    for (int layer = 0; layer < (t.per_layer ? config.vision->num_layers : 1); ++layer) {
      const char* pattern = kind == VisionKind::kGguf ? t.gguf : t.huggingface;
      EG_ASSIGN_OR_RETURN(const Stored* stored, Find(NameOf(pattern, layer)));
      const auto& shape = stored->info.shape;
      int64_t elements = 1;
      for (int64_t side : shape) elements *= side;
      // The first side that is not 1 counts the rows, unless there is one row only.
      const bool rows_fit = t.rows == 1 || (!shape.empty() && shape[0] == t.rows);
      if (!rows_fit || elements != t.rows * t.cols) {
        return DataLoss("{}: tensor {} has shape {}: must be {} rows of {} values",
                        files_[stored->file].path(), stored->info.name, ShapeText(shape), t.rows,
                        t.cols);
      }
      if (t.cols % BlockOf(*stored->info.type).elements != 0) {
        return Unimplemented("{}: tensor {} is {}: its rows are no whole blocks",
                             files_[stored->file].path(), stored->info.name,
                             stored->info.type_name);
      }
      slices_[{t.part, layer}] = {stored, 0, t.rows, t.cols};
    }
  }
  return {};
}

int64_t SourceBuilder::RowsOf(const std::string& name) const {
  auto found = tensors_.find(name);
  if (found == tensors_.end() || found->second.info.shape.size() != 2) return 0;
  return found->second.info.shape[0];
}

Status SourceBuilder::Bind(const ModelConfig& config, const TensorNames& names, VisionKind kind) {
  const int64_t v = config.vocab_size, h = config.hidden_size;
  EG_RETURN_IF_ERROR(BindPart(WeightPart::kEmbedding, 0, names.embedding, 0, v, v, h));
  EG_RETURN_IF_ERROR(BindVector(WeightPart::kFinalNorm, 0, names.final_norm, h));
  const bool own_head = Has(names.lm_head);
  if (!own_head && !config.tied_lm_head) return DataLoss("tensor {} is missing", names.lm_head);
  EG_RETURN_IF_ERROR(
      BindPart(WeightPart::kLmHead, 0, own_head ? names.lm_head : names.embedding, 0, v, v, h));
  for (int layer = 0; layer < config.num_layers; ++layer) {
    EG_RETURN_IF_ERROR(BindLayer(config, names, layer));
  }
  if (config.vision) EG_RETURN_IF_ERROR(BindVision(config, kind));
  return RefuseUnbound(config, names);
}

Status SourceBuilder::RefuseUnbound(const ModelConfig& config, const TensorNames& names) const {
  std::set<const Stored*> bound;
  for (const auto& [key, slice] : slices_) bound.insert(slice.tensor);
  // Layers past the last are heads for multi-token prediction, which nothing here uses.
  const std::string pattern = names.attention_norm;
  const std::string prefix = pattern.substr(0, pattern.find("{}"));
  auto harmless = [&](const std::string& name) {
    if (name.ends_with("rotary_emb.inv_freq") || name == "rope_freqs.weight") return true;
    // SigLIP's pooling head, which GLM-Edge-V does not use, and a table of 0, 1, 2 ...
    if (config.vision && (name.starts_with("model.vision.vit.model.vision_model.head.") ||
                          name.ends_with("vision_model.embeddings.position_ids"))) {
      return true;
    }
    if (!name.starts_with(prefix)) return false;
    const std::string number =
        name.substr(prefix.size(), name.find('.', prefix.size()) - prefix.size());
    const bool digits = !number.empty() && number.size() < 6 &&
                        number.find_first_not_of("0123456789") == std::string::npos;
    return digits && std::stoi(number) >= config.num_layers;
  };
  for (const auto& [name, stored] : tensors_) {
    if (bound.contains(&stored) || harmless(name)) continue;
    return Unimplemented("{}: tensor {} has no place in a {} of this config",
                         files_[stored.file].path(), name, config.architecture);
  }
  return {};
}

std::unique_ptr<ModelSource> SourceBuilder::Build(ModelConfig config, TokenizerAssets assets,
                                                  GenerationDefaults defaults,
                                                  std::vector<std::string> files) {
  auto source = std::make_unique<TensorSource>();
  source->config_ = std::move(config);
  source->assets_ = std::move(assets);
  source->defaults_ = defaults;
  source->paths_ = std::move(files);
  // Slices point into the map's nodes, which moving the map leaves in place.
  source->files_ = std::move(files_);
  source->tensors_ = std::move(tensors_);
  source->slices_ = std::move(slices_);
  return source;
}

}  // namespace edgegate
