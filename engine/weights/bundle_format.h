// The packed bundle's file format, shared by its writer and its reader.
//
// Header, 64 bytes, little-endian: magic "EDGEGATE"; u32 format version; u32 zero; u64 offset and
// u64 size of the manifest; the manifest's SHA-256 (32 bytes).
// Manifest: {"source": {"files": [{"name", "size", "sha256"}]}, "calibration": sha256,
//   "config": {...}, "generation": {...}, "tokenizer_kind": "huggingface" | "sentencepiece",
//   "embedding_type": "f32" | "f16" | "bf16", "format": "int8" | "int4",
//   "tensors": [{"name", "offset", "bytes"}]}
// Tensors: embedding, final_norm, lm_head.*, layers.N.{attention_norm, mlp_norm, q_norm, k_norm},
// layers.N.{qkv, o, gate_up, down}.{packed, scale, column_sum, bias} as decoder_weights.h says, or,
// where the format is int4, .{int4, bias} as int4_weights.h does, .int4x64 for wide groups; and
// tokenizer.{model, config, template}, bytes. Where config.vision is there: vision.{patch, conv,
// linear, gate_up, down}.*, vision.{positions, first_row, last_row}, vision.{post_norm,
// adapter_norm}.{weight, bias}, vision.layers.N.{norm1, norm2}.{weight, bias} and
// vision.layers.N.{q, kv, out, fc1, fc2}.*. Of linear layers that are fine, *.rest.* too.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/model_config.h"
#include "engine/model/weight_format.h"
#include "engine/text/tokenizer_assets.h"

namespace edgegate {

inline constexpr char kBundleMagic[8] = {'E', 'D', 'G', 'E', 'G', 'A', 'T', 'E'};
inline constexpr uint32_t kBundleVersion = 7;
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

// What the manifest says beside the tensor table.
struct BundleInfo {
  struct SourceFile {
    std::string name;
    uint64_t size = 0;
    std::string sha256;
  };
  std::vector<SourceFile> source_files;
  std::string calibration_sha256;
  ModelConfig config;
  GenerationDefaults generation;
  TokenizerAssets::Kind tokenizer_kind = TokenizerAssets::Kind::kHuggingFace;
  EmbeddingType embedding_type = EmbeddingType::kF32;
  WeightFormat format = WeightFormat::kInt8;
};

// Writes a bundle front to back. Errors are kept: status() and Finish() return the first one. Owned
// by one thread, except for WriteAt().
class BundleWriter {
 public:
  // `fd`: open for writing, empty, stays the caller's. `path`: for messages.
  BundleWriter(int fd, std::string path);

  // A tensor in one go.
  void Write(const std::string& name, const void* data, size_t bytes);

  // Makes room for a tensor; gives its offset. Its bytes follow in any order by WriteAt().
  uint64_t Reserve(const std::string& name, uint64_t bytes);
  // Writes part of a reserved tensor. Any thread, several at once.
  void WriteAt(uint64_t offset, const void* data, size_t bytes);

  // Has the system begin to write what was written so far to the disk, so that little is left to do
  // at the end. May wait where the disk does not keep up.
  void StartWriteback();

  // kResourceExhausted when the disk is full or cannot be written.
  Status status() const;

  // Writes the manifest and the header.
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
  uint64_t written_back_ = 0;  // where StartWriteback() goes on
  std::vector<Entry> entries_;
};

}  // namespace edgegate
