#include "engine/family/bundle.h"

#include <cstring>
#include <fstream>

#include "engine/base/sha256.h"
#include "engine/ops/linear/int4/pack.h"
#include "engine/weights/bundle_format.h"
#include "engine/weights/bundle_json.h"
#include "engine/weights/file_mapping.h"

namespace edgegate {
namespace {

class MappedBundle : public Bundle {
 public:
  explicit MappedBundle(FileMapping mapping) : mapping_(std::move(mapping)) {}

  const DecoderWeights& weights() const override { return weights_; }
  const TokenizerAssets& tokenizer_assets() const override { return assets_; }
  const GenerationDefaults& generation_defaults() const override { return info_.generation; }
  const std::string& manifest_json() const override { return manifest_; }
  size_t weights_bytes() const override { return weights_bytes_; }
  Status CheckIntact() const override { return mapping_.CheckIntact(); }
  size_t MoveToHugePages(const std::function<bool()>& stop) override {
    return mapping_.MoveToHugePages(stop);
  }

  Status Load() {
    EG_RETURN_IF_ERROR(ReadManifest());
    EG_RETURN_IF_ERROR(ValidateModelConfig(info_.config));
    const ModelConfig& c = weights_.config = info_.config;
    const int64_t h = c.hidden_size;
    const int64_t embedding_bytes = info_.embedding_type == EmbeddingType::kF32 ? 4 : 2;
    const void* embedding = Find("embedding", c.vocab_size * h * embedding_bytes);
    weights_.format = info_.format;
    weights_.embedding = {info_.embedding_type, embedding};
    weights_.final_norm = Floats("final_norm", h);
    weights_.lm_head = Fine("lm_head", c.vocab_size, c.hidden_size, false);
    for (int i = 0; i < c.num_layers && status_.ok(); ++i) LoadLayer(i);
    if (c.vision && status_.ok()) LoadVision();
    LoadTokenizer();
    return status_;
  }

 private:
  Status ReadManifest() {
    const auto bytes = mapping_.bytes();
    BundleHeader header;
    if (bytes.size() < sizeof header) return DataLoss("no bundle: {} bytes long", bytes.size());
    std::memcpy(&header, bytes.data(), sizeof header);
    if (std::memcmp(header.magic, kBundleMagic, sizeof header.magic) != 0) {
      return DataLoss("no bundle: wrong magic at offset 0");
    }
    if (header.version != kBundleVersion) {
      return Unimplemented("bundle format {}, this edgegate reads {}: quantize the model again",
                           header.version, kBundleVersion);
    }
    if (header.manifest_offset > bytes.size() ||
        header.manifest_size > bytes.size() - header.manifest_offset) {
      return DataLoss("manifest of {} bytes at offset {} passes the end ({} bytes)",
                      header.manifest_size, header.manifest_offset, bytes.size());
    }
    manifest_.assign(reinterpret_cast<const char*>(bytes.data()) + header.manifest_offset,
                     header.manifest_size);
    if (Sha256::Digest(manifest_.data(), manifest_.size()) != header.manifest_sha256) {
      return DataLoss("the manifest does not match its SHA-256: the file is damaged");
    }
    return ManifestFromJson(manifest_, &info_, &tensors_);
  }

  // The tensor's bytes, of which there must be `size`; remembers the first failure.
  const void* Find(const std::string& name, int64_t size) {
    if (!status_.ok()) return nullptr;
    auto found = tensors_.find(name);
    if (found == tensors_.end()) {
      status_ = DataLoss("tensor {} is missing", name);
      return nullptr;
    }
    const auto [offset, bytes] = found->second;
    const uint64_t file = mapping_.bytes().size();
    if (offset % kBundleAlignment != 0 || offset > file || bytes > file - offset ||
        (size >= 0 && bytes != static_cast<uint64_t>(size))) {
      status_ = DataLoss("tensor {}: {} bytes at offset {} of {}; {} were expected", name, bytes,
                         offset, file, size);
      return nullptr;
    }
    weights_bytes_ += bytes;
    return mapping_.bytes().data() + offset;
  }

  const float* Floats(const std::string& name, int64_t count) {
    return static_cast<const float*>(Find(name, count * 4));
  }

  Int8Linear Int8(const std::string& name, int n, int k, bool bias) {
    Int8Linear w;
    w.n = n;
    w.k = k;
    const int64_t rows = w.n_padded();
    w.packed = static_cast<const int8_t*>(Find(name + ".packed", rows * w.k_padded()));
    w.scale = Floats(name + ".scale", rows);
    w.column_sum = static_cast<const int32_t*>(Find(name + ".column_sum", rows * 4));
    if (bias) w.bias = Floats(name + ".bias", rows);
    return w;
  }

  Linear Fine(const std::string& name, int n, int k, bool bias) {
    Linear w{.main = Int8(name, n, k, bias), .rest = {}, .int4 = {}};
    if (tensors_.contains(name + ".rest.packed")) w.rest = Int8(name + ".rest", n, k, false);
    return w;
  }

  // A layer of the text model.
  Linear OfFormat(const std::string& name, int n, int k, bool bias) {
    if (weights_.format != WeightFormat::kInt4) return Fine(name, n, k, bias);
    Linear w;
    w.int4.n = n;
    w.int4.k = k;
    const bool wide = tensors_.contains(name + ".int4x64");
    w.int4.group = wide ? kInt4WideGroup : kInt4Group;
    w.int4.packed = static_cast<const uint8_t*>(
        Find(name + (wide ? ".int4x64" : ".int4"), Int4PackedBytes(n, k, w.int4.group)));
    if (bias) w.int4.bias = Floats(name + ".bias", w.int4.n_padded());
    return w;
  }

  void LoadLayer(int index) {
    const ModelConfig& c = weights_.config;
    const std::string prefix = fmt::format("layers.{}.", index);
    DecoderLayerWeights w;
    w.attention_norm = Floats(prefix + "attention_norm", c.hidden_size);
    w.mlp_norm = Floats(prefix + "mlp_norm", c.hidden_size);
    w.qkv = OfFormat(prefix + "qkv", c.q_size() + 2 * c.kv_size(), c.hidden_size, c.qkv_bias);
    w.o = OfFormat(prefix + "o", c.hidden_size, c.q_size(), c.o_bias);
    const int padded = Int8Padded(c.intermediate_size);
    w.gate_up = OfFormat(prefix + "gate_up", 2 * padded, c.hidden_size, c.mlp_bias);
    w.down = OfFormat(prefix + "down", c.hidden_size, c.intermediate_size, c.mlp_bias);
    if (c.qk_norm) {
      w.q_norm = Floats(prefix + "q_norm", c.head_dim);
      w.k_norm = Floats(prefix + "k_norm", c.head_dim);
    }
    weights_.layers.push_back(w);
  }

  LayerNormWeights Norm(const std::string& name, int64_t count) {
    return {Floats(name + ".weight", count), Floats(name + ".bias", count)};
  }

  void LoadVision() {
    const VisionConfig& v = *weights_.config.vision;
    const int width = v.hidden_size, text = weights_.config.hidden_size;
    VisionWeights& w = weights_.vision;
    w.patch = Fine("vision.patch", width, v.patch_values(), true);
    w.positions = Floats("vision.positions", int64_t{v.patches()} * width);
    for (int i = 0; i < v.num_layers && status_.ok(); ++i) {
      const std::string prefix = fmt::format("vision.layers.{}.", i);
      w.layers.push_back({.norm1 = Norm(prefix + "norm1", width),
                          .q = Fine(prefix + "q", width, width, true),
                          .kv = Fine(prefix + "kv", 2 * width, width, true),
                          .out = Fine(prefix + "out", width, width, true),
                          .norm2 = Norm(prefix + "norm2", width),
                          .fc1 = Fine(prefix + "fc1", v.intermediate_size, width, true),
                          .fc2 = Fine(prefix + "fc2", width, v.intermediate_size, true)});
    }
    w.post_norm = Norm("vision.post_norm", width);
    w.conv = Fine("vision.conv", text, 4 * width, true);
    w.linear = Fine("vision.linear", text, text, false);
    w.adapter_norm = Norm("vision.adapter_norm", text);
    w.gate_up = Fine("vision.gate_up", 2 * Int8Padded(v.adapter_size), text, false);
    w.down = Fine("vision.down", text, v.adapter_size, false);
    w.first_row = Floats("vision.first_row", text);
    w.last_row = Floats("vision.last_row", text);
  }

  std::string Text(const std::string& name) {
    const auto* data = static_cast<const char*>(Find(name, -1));
    return data ? std::string(data, tensors_[name].second) : std::string();
  }

  void LoadTokenizer() {
    assets_.kind = info_.tokenizer_kind;
    assets_.model = Text("tokenizer.model");
    assets_.tokenizer_config = Text("tokenizer.config");
    assets_.chat_template = Text("tokenizer.template");
  }

  FileMapping mapping_;
  std::string manifest_;
  BundleInfo info_;
  TensorTable tensors_;
  DecoderWeights weights_;
  TokenizerAssets assets_;
  size_t weights_bytes_ = 0;
  Status status_;
};

}  // namespace

Result<std::unique_ptr<Bundle>> Bundle::Open(const std::string& path) {
  EG_ASSIGN_OR_RETURN(FileMapping mapping, FileMapping::Map(path));
  auto bundle = std::make_unique<MappedBundle>(std::move(mapping));
  const Status status = bundle->Load();
  EG_RETURN_IF_ERROR(bundle->CheckIntact());  // else what was checked is not what is there
  if (!status.ok()) return status.WithContext(path);
  return std::unique_ptr<Bundle>(std::move(bundle));
}

bool IsBundle(const std::string& path) {
  char magic[sizeof kBundleMagic] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
  return std::memcmp(magic, kBundleMagic, sizeof magic) == 0;
}

}  // namespace edgegate
