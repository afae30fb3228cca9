// Compares tensors that were bound to a decoder's table with the raw values of the file.

#include "engine/family/decoder/decoder_tensors.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace edgegate {
namespace {

constexpr DecoderTensorNames kNames = {
    .embedding = "embd",
    .final_norm = "norm",
    .lm_head = "head",
    .attention_norm = "blk.{}.an",
    .q = "blk.{}.q",
    .k = "blk.{}.k",
    .v = "blk.{}.v",
    .o = "blk.{}.o",
    .qkv = "blk.{}.qkv",
    .qkv_bias = "blk.{}.qkv.b",
    .q_bias = "blk.{}.q.b",
    .k_bias = "blk.{}.k.b",
    .v_bias = "blk.{}.v.b",
    .o_bias = "blk.{}.o.b",
    .q_norm = "blk.{}.qn",
    .k_norm = "blk.{}.kn",
    .mlp_norm = "blk.{}.mn",
    .gate = "blk.{}.g",
    .up = "blk.{}.u",
    .gate_up = nullptr,
    .down = "blk.{}.d",
    .gate_bias = "blk.{}.g.b",
    .up_bias = "blk.{}.u.b",
    .down_bias = "blk.{}.d.b",
};

// A file of float32 tensors. All values of tensor n are n. The destructor removes the file.
struct RawFile {
  RawFile()
      : path(std::filesystem::temp_directory_path() / fmt::format("edgegate-raw-{}", getpid())) {}
  ~RawFile() { std::filesystem::remove(path); }

  void Add(const std::string& name, const std::vector<int64_t>& shape) {
    TensorInfo info;
    info.name = name;
    info.type_name = "F32";
    info.type = TensorType::kF32;
    info.shape = shape;
    info.offset = static_cast<uint64_t>(elements) * 4;
    int64_t count = 1;
    for (int64_t d : shape) count *= d;
    info.bytes = static_cast<uint64_t>(count) * 4;
    elements += count;
    tensors.push_back(info);
  }

  // Binds the decoder's tensors, and refuses the others.
  Status Bind(const ModelConfig& config, TensorFiles* files, DecoderTensors* bound) {
    std::ofstream out(path, std::ios::binary);
    for (int64_t i = 0; i < elements; ++i) {
      const auto value = static_cast<float>(i);
      out.write(reinterpret_cast<const char*>(&value), 4);
    }
    out.close();
    auto file = InputFile::Open(path);
    REQUIRE(file.ok());
    REQUIRE(files->AddFile(std::move(*file), tensors).ok());
    EG_ASSIGN_OR_RETURN(*bound, BindDecoder(config, kNames, files));
    return files->RefuseUnbound(
        [&](const std::string& name) { return IsIgnoredByDecoder(name, config, kNames); },
        config.architecture);
  }

  // Returns the first value of a tensor in the file.
  float First(const std::string& name) const {
    for (const TensorInfo& t : tensors) {
      if (t.name == name) return static_cast<float>(t.offset / 4);
    }
    return -1;
  }

  std::string path;
  std::vector<TensorInfo> tensors;
  int64_t elements = 0;
};

ModelConfig SmallConfig() {
  ModelConfig c;
  c.architecture = "Test";
  c.vocab_size = 10;
  c.hidden_size = 8;
  c.intermediate_size = 12;
  c.num_layers = 2;
  c.num_heads = 2;
  c.num_kv_heads = 1;
  c.head_dim = 4;
  c.tied_lm_head = true;
  c.qkv_bias = true;
  return c;
}

// Adds all tensors that SmallConfig() requires, with q, k and v fused.
void AddAll(RawFile* file) {
  file->Add("embd", {10, 8});
  file->Add("norm", {8});
  for (const char* layer : {"blk.0.", "blk.1."}) {
    const std::string p = layer;
    file->Add(p + "an", {8});
    file->Add(p + "mn", {8});
    file->Add(p + "qkv", {16, 8});
    file->Add(p + "qkv.b", {16});
    file->Add(p + "o", {8, 8});
    file->Add(p + "g", {12, 8});
    file->Add(p + "u", {12, 8});
    file->Add(p + "d", {8, 12});
  }
}

TEST_CASE("parts of fused tensors are the file's own values") {
  RawFile file;
  AddAll(&file);
  TensorFiles files;
  DecoderTensors tensors;
  const Status bound = file.Bind(SmallConfig(), &files, &tensors);
  REQUIRE_MESSAGE(bound.ok(), bound.message());
  const DecoderLayerTensors& layer = tensors.layers[1];
  auto first = [&](const TensorSlice& slice, int row, int count, int cols) {
    std::vector<float> values(static_cast<size_t>(count * cols), -1);
    REQUIRE(files.ReadRows(slice, row, count, values.data()).ok());
    for (size_t i = 1; i < values.size(); ++i)
      CHECK(values[i] == values[0] + static_cast<float>(i));
    return values[0];
  };
  const float qkv = file.First("blk.1.qkv"), bias = file.First("blk.1.qkv.b");
  CHECK(first(layer.q, 3, 5, 8) == qkv + 3 * 8);
  CHECK(first(layer.k, 0, 4, 8) == qkv + 8 * 8);
  CHECK(first(layer.v, 1, 3, 8) == qkv + 13 * 8);
  CHECK(first(layer.q_bias, 0, 1, 8) == bias);
  CHECK(first(layer.k_bias, 0, 1, 4) == bias + 8);
  CHECK(first(layer.v_bias, 0, 1, 4) == bias + 12);
  CHECK(first(layer.down, 2, 6, 12) == file.First("blk.1.d") + 24);
  std::vector<float> none(8);
  CHECK(!files.ReadRows(layer.q, 7, 2, none.data()).ok());
  CHECK(!files.ReadRows(layer.q_norm, 0, 1, none.data()).ok());
}

TEST_CASE("a tensor that the model does not use is refused by name") {
  for (const char* name : {"blk.1.o.b", "blk.0.qn", "rope_factors_long.weight", "norm.bias"}) {
    CAPTURE(name);
    RawFile file;
    AddAll(&file);
    file.Add(name, {8});
    TensorFiles files;
    DecoderTensors tensors;
    CHECK(file.Bind(SmallConfig(), &files, &tensors).message().find(name) != std::string::npos);
  }
}

TEST_CASE("tensors without an effect on the output are ignored") {
  for (const char* name : {"blk.0.rotary_emb.inv_freq", "rope_freqs.weight", "blk.2.qn"}) {
    CAPTURE(name);
    RawFile file;
    AddAll(&file);
    file.Add(name, {8});
    TensorFiles files;
    DecoderTensors tensors;
    CHECK(file.Bind(SmallConfig(), &files, &tensors).ok());
  }
}

TEST_CASE("a missing tensor or one of a wrong shape is refused by name") {
  RawFile file;
  AddAll(&file);
  for (TensorInfo& t : file.tensors) {
    if (t.name == "blk.1.qkv.b") t.shape = {8};
  }
  TensorFiles files;
  DecoderTensors tensors;
  CHECK(file.Bind(SmallConfig(), &files, &tensors).message().find("blk.1.qkv.b") !=
        std::string::npos);
  RawFile without;
  AddAll(&without);
  std::erase_if(without.tensors, [](const TensorInfo& t) { return t.name == "blk.1.d"; });
  TensorFiles other;
  CHECK(without.Bind(SmallConfig(), &other, &tensors).message() == "tensor blk.1.d is missing");
}

}  // namespace
}  // namespace edgegate
