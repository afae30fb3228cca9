// The file format of packed bundles, shared by the writer and the reader.
//
// Header, 64 bytes, little-endian: magic "EDGEGATE"; u32 format version; u32 zero; u64 offset and
// u64 size of the manifest; the manifest's SHA-256 (32 bytes).
// Manifest: {"source": {"files": [{"name", "size", "sha256"}]}, "calibration": sha256,
//   "config": {...}, "generation": {...}, "tokenizer_kind": "huggingface" or
//   "sentencepiece", "embedding_type": "f32", "f16" or "bf16", "format": "int8" or "int4",
//   "tensors": [{"name", "offset", "bytes"}]}. "format" is that of the layers.
// Tensors: embedding, final_norm, state_norm, lm_head.*,
// layers.N.{attention_norm, mlp_norm, q_norm, k_norm},
// layers.N.{qkv, o, gate_up, down}.{packed, scale, column_sum, bias} as in decoder_weights.h. If
// the format is int4, .{int4, bias} instead, as in ops/linear/int4/format.h, and .int4x64 for
// groups of 64. INT16 layers have .{int16, scale, bias}, as in ops/linear/int16/format.h. lm_head
// has the format that its tensors tell.
// tokenizer.{model, config, template} are bytes. config.vision is the media config, or null. Its
// family defines the other tensors (glm_edge_v/weights.cc). config.embedding is there for an
// embedding model only. The manifest of a text encoder has "encoder" instead of "config",
// "generation", "embedding_type" and "format": the config of its family, which defines the tensors
// (bert/weights.h).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/embedding_type.h"
#include "engine/model/model_config.h"
#include "engine/ops/linear/tensors.h"
#include "engine/ops/linear/weight_formats.h"
#include "engine/text/tokenizer_assets.h"
#include "engine/weights/json.h"

namespace edgegate {

inline constexpr char kBundleMagic[8] = {'E', 'D', 'G', 'E', 'G', 'A', 'T', 'E'};
inline constexpr uint32_t kBundleVersion = 9;
inline constexpr uint64_t kBundleAlignment = 4096;

struct BundleHeader {
  char magic[8];
  uint32_t version;
  uint32_t zero;
  uint64_t manifest_offset;
  uint64_t manifest_size;
  std::array<uint8_t, 32> manifest_sha256;
};
static_assert(sizeof(BundleHeader) == 64);

// The manifest without the tensor table.
struct BundleInfo {
  struct SourceFile {
    std::string name;
    uint64_t size = 0;
    std::string sha256;
  };
  std::vector<SourceFile> source_files;
  std::string calibration_sha256;
  ModelConfig config;         // as read: without `media`
  std::optional<Json> media;  // as read: the output of MediaConfig::ToJson(); nullopt: none
  // The output of TextEncoderConfig::ToJson(): to write, empty for a decoder; and as read, nullopt
  // for a decoder. The fields of a decoder are not set for an encoder.
  std::string encoder_text;
  std::optional<Json> encoder;
  GenerationDefaults generation;
  TokenizerAssets::Kind tokenizer_kind = TokenizerAssets::Kind::kHuggingFace;
  EmbeddingType embedding_type = EmbeddingType::kF32;
  WeightFormat format = kWeightFormat<Int8Format>;
};

// Writes a bundle front to back. Stores the first error, which status() and Finish() return. Owned
// by one thread, except for WriteAt().
class BundleWriter : public TensorWriter {
 public:
  // `fd` is an empty file that is open for writing. It is not owned. `path` is used in messages.
  BundleWriter(int fd, std::string path);

  // Reserves space for a tensor and returns its offset in the file. WriteAt() writes its bytes, in
  // any order.
  uint64_t Reserve(const std::string& name, uint64_t bytes) override;
  // Writes a part of a reserved tensor. Several threads may call it at once.
  void WriteAt(uint64_t offset, const void* data, size_t bytes) override;

  // Starts the writeback of the bytes written so far, so that Finish() takes less time. May block
  // if the disk is slow.
  void StartWriteback();

  // Returns the first error. kResourceExhausted: the disk is full or cannot be written.
  Status status() const;

  // Writes the manifest and the header. Call it once, last. Returns the first error, as status()
  // does.
  Status Finish(const BundleInfo& info);

 private:
  struct Entry {
    std::string name;
    uint64_t offset, bytes;
  };

  const int fd_;
  const std::string path_;
  std::atomic<int> error_{0};  // errno of the first failure
  uint64_t end_ = sizeof(BundleHeader);
  uint64_t written_back_ = 0;  // offset from which StartWriteback() continues
  std::vector<Entry> entries_;
};

}  // namespace edgegate
