// Tests the quantization of the three kinds of sources: Q4_0, Q4_1, and all others.

#include "engine/family/decoder/int4_quantize.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "engine/base/half.h"
#include "engine/family/bundle.h"
#include "engine/family/model_source.h"
#include "engine/family/quantize.h"
#include "engine/ops/linear/int4/pack.h"
#include "engine/weights/dequantize.h"

namespace edgegate {
namespace {

const std::string kGolden = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/";

std::vector<uint8_t> ReadFile(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  const std::string bytes = text.str();
  return {bytes.begin(), bytes.end()};
}

TEST_CASE("packed Q4_0 and Q4_1 blocks keep their float values exactly") {
  for (const TensorType type : {TensorType::kQ4_0, TensorType::kQ4_1}) {
    const bool minimum = type == TensorType::kQ4_1;
    const auto blocks = ReadFile(kGolden + "dequantize/Q4_" + (minimum ? "1" : "0") + ".block");
    const int count = static_cast<int>(blocks.size()) / BlockOf(type).bytes;
    REQUIRE(count == 8);
    std::vector<float> want(size_t{32} * count);
    Dequantize(type, blocks.data(), 32 * count, want.data());
    const auto groups = StoredGroups(type, blocks);
    REQUIRE(groups);
    std::vector<uint8_t> packed(static_cast<size_t>(Int4PackedBytes(count / 2, 64, 32)));
    PackInt4Block(groups->data(), count / 2, 64, 32, packed.data());
    const Int4Linear view{64, count / 2, 32, packed.data(), nullptr};
    for (int i = 0; i < 32 * count; ++i) {
      CHECK(UnpackInt4(view, i / 64, i % 64) == want[i]);
    }
  }
}

TEST_CASE("packed Q4_K blocks keep their levels, with scales and minima rounded to f16") {
  const auto blocks = ReadFile(kGolden + "dequantize/Q4_K.block");
  const int count = static_cast<int>(blocks.size()) / 144 * 256;
  REQUIRE(count >= 256);
  std::vector<float> want(count);
  Dequantize(TensorType::kQ4K, blocks.data(), count, want.data());
  const auto groups = StoredGroups(TensorType::kQ4K, blocks);
  REQUIRE(groups);
  REQUIRE(static_cast<int>(groups->size()) == count / 32);
  for (int i = 0; i < count; ++i) {
    const Int4Group& group = (*groups)[i / 32];
    const float scale = F16ToFloat(group.scale), minimum = F16ToFloat(group.minimum);
    const float got = scale * static_cast<float>(group.level(i % 32)) + minimum;
    CHECK(std::fabs(got - want[i]) <=
          0x1p-11f * (15 * std::fabs(scale) + std::fabs(minimum)) + 1e-7f);
  }
}

TEST_CASE("a block that 4-bit groups cannot hold is not marked as exact") {
  std::vector<uint8_t> block(18, 0x88);
  const uint16_t large = FloatToF16(60000.0f);
  std::memcpy(block.data(), &large, 2);
  CHECK_FALSE(StoredGroups(TensorType::kQ4_0, block));
  CHECK_FALSE(StoredGroups(TensorType::kQ8_0, std::vector<uint8_t>(34)));
}

// A model of one layer that has tensors of all kinds.
struct MixedModel {
  explicit MixedModel(TensorType head = TensorType::kF32)
      : path(std::filesystem::temp_directory_path() / fmt::format("edgegate-q4-{}", getpid())) {
    auto golden = ModelSource::Open(kGolden + "models/llama3");
    REQUIRE(golden.ok());
    config = (*golden)->config();
    config.hidden_size = 64;
    config.intermediate_size = 96;
    config.num_layers = 1;
    config.num_heads = config.num_kv_heads = 4;
    config.head_dim = config.rope.rotary_dim = 16;
    config.rope.frequency_divisors.clear();
    Add("embd", TensorType::kF32, config.vocab_size, 64);
    Add("head", head, config.vocab_size, 64);
    Add("norm", TensorType::kF32, 0, 64);
    Add("blk.0.an", TensorType::kF32, 0, 64);
    Add("blk.0.mn", TensorType::kF32, 0, 64);
    Add("blk.0.q", TensorType::kQ4_0, 64, 64);
    Add("blk.0.k", TensorType::kQ4_1, 64, 64);
    Add("blk.0.v", TensorType::kF32, 64, 64);
    Add("blk.0.o", TensorType::kQ4_1, 64, 64);
    Add("blk.0.g", TensorType::kQ4_0, 96, 64);
    Add("blk.0.u", TensorType::kQ4_1, 96, 64);
    Add("blk.0.d", TensorType::kQ4_0, 64, 96);
    std::ofstream(path, std::ios::binary).write(bytes.data(), std::ssize(bytes));
    auto file = InputFile::Open(path);
    REQUIRE(file.ok());
    TensorFiles files;
    REQUIRE(files.AddFile(std::move(*file), tensors).ok());
    DecoderTensorNames names{};
    names.embedding = "embd", names.final_norm = "norm", names.lm_head = "head";
    names.attention_norm = "blk.{}.an", names.mlp_norm = "blk.{}.mn";
    names.q = "blk.{}.q", names.k = "blk.{}.k", names.v = "blk.{}.v", names.o = "blk.{}.o";
    names.gate = "blk.{}.g", names.up = "blk.{}.u", names.down = "blk.{}.d";
    auto bound =
        ModelSource::FromTensors(config, (*golden)->tokenizer_assets(), std::move(files), names);
    REQUIRE(bound.ok());
    source = *std::move(bound);
  }
  ~MixedModel() { std::filesystem::remove(path); }

  // Adds a tensor of random values. If `rows` is 0, it is a vector.
  void Add(const std::string& name, TensorType type, int64_t rows, int64_t cols) {
    TensorInfo info;
    info.name = name;
    info.type = type;
    info.shape = rows > 0 ? std::vector<int64_t>{rows, cols} : std::vector<int64_t>{cols};
    info.offset = bytes.size();
    const BlockShape block = BlockOf(type);
    for (int64_t i = 0; i < std::max<int64_t>(rows, 1) * cols; i += block.elements) {
      const float value = static_cast<float>(random() % 2001) * 1e-4f - 0.1f;
      const uint16_t halves[2] = {FloatToF16(value / 8), FloatToF16(-value)};
      if (type == TensorType::kF32) {
        bytes.append(reinterpret_cast<const char*>(&value), 4);
        continue;
      }
      bytes.append(reinterpret_cast<const char*>(halves), type == TensorType::kQ4_1 ? 4 : 2);
      for (int j = 0; j < 16; ++j) bytes += static_cast<char>(random());
    }
    info.bytes = bytes.size() - info.offset;
    tensors.push_back(info);
  }

  std::vector<float> Rows(TensorSlice DecoderLayerTensors::*part, int rows, int cols) const {
    std::vector<float> out(size_t{1} * rows * cols);
    REQUIRE(
        source->tensors().ReadRows(source->decoder().layers[0].*part, 0, rows, out.data()).ok());
    return out;
  }

  std::mt19937 random{7};
  std::string path, bytes;
  std::vector<TensorInfo> tensors;
  ModelConfig config;
  std::unique_ptr<ModelSource> source;
};

// Quantizes the model to `path` and opens the bundle.
std::unique_ptr<Bundle> Quantized(const MixedModel& model, const QuantizeOptions& options) {
  const std::string path = model.path + ".edgegate";
  const Status status = Quantize(*model.source, path, options);
  CAPTURE(status.message());
  REQUIRE(status.ok());
  auto bundle = Bundle::Open(path);
  std::filesystem::remove(path);
  REQUIRE(bundle.ok());
  return *std::move(bundle);
}

TEST_CASE("a 4-bit bundle keeps 4-bit tensors exactly and quantizes the others well") {
  const MixedModel model;
  QuantizeOptions options;
  options.format = kWeightFormat<Int4Format>;
  const auto bundle = Quantized(model, options);
  CHECK(bundle->weights().format == kWeightFormat<Int4Format>);
  CHECK_FALSE(bundle->weights().lm_head.Is<Int4Linear>());
  const DecoderLayerWeights& w = bundle->weights().layers[0];
  auto differing = [](const Linear& linear, int first, const std::vector<float>& rows) {
    const int k = linear.k(), n = static_cast<int>(rows.size()) / k;
    int wrong = 0;
    for (int row = 0; row < n; ++row) {
      for (int i = 0; i < k; ++i) {
        const float value = UnpackInt4(std::get<Int4Linear>(linear.layer), first + row, i);
        wrong += value != rows[row * k + i];
      }
    }
    return wrong;
  };
  CHECK(differing(w.qkv, 0, model.Rows(&DecoderLayerTensors::q, 64, 64)) == 0);
  CHECK(differing(w.qkv, 64, model.Rows(&DecoderLayerTensors::k, 64, 64)) == 0);
  CHECK(differing(w.o, 0, model.Rows(&DecoderLayerTensors::o, 64, 64)) == 0);
  CHECK(differing(w.down, 0, model.Rows(&DecoderLayerTensors::down, 64, 96)) == 0);
  // Gate and up blocks alternate. The second block of gate begins at 128, that of up at 192.
  const auto gate = model.Rows(&DecoderLayerTensors::gate, 96, 64),
             up = model.Rows(&DecoderLayerTensors::up, 96, 64);
  CHECK(differing(w.gate_up, 0, {gate.begin(), gate.begin() + 64 * 64}) == 0);
  CHECK(differing(w.gate_up, 64, {up.begin(), up.begin() + 64 * 64}) == 0);
  CHECK(differing(w.gate_up, 128, {gate.begin() + 64 * 64, gate.end()}) == 0);
  CHECK(differing(w.gate_up, 192, {up.begin() + 64 * 64, up.end()}) == 0);
  const auto v = model.Rows(&DecoderLayerTensors::v, 64, 64);
  double error = 0, power = 0;
  for (int i = 0; i < 64 * 64; ++i) {
    const double left = v[i] - UnpackInt4(std::get<Int4Linear>(w.qkv.layer), 128 + i / 64, i % 64);
    error += left * left;
    power += double{v[i]} * v[i];
  }
  // A uniform distribution over 16 steps has 1 / 15^2. Columns that compensate other columns have
  // more.
  CHECK(error < 0.006 * power);
}

TEST_CASE("a 4-bit lm_head keeps 4-bit rows exactly and rounds others well, beside any layers") {
  for (const WeightFormat layers : {kWeightFormat<Int8Format>, kWeightFormat<Int4Format>}) {
    for (const TensorType type : {TensorType::kF32, TensorType::kQ4_0}) {
      const MixedModel model(type);
      QuantizeOptions options;
      options.format = layers;
      options.head_format = kWeightFormat<Int4Format>;
      const auto bundle = Quantized(model, options);
      CHECK(bundle->weights().format == layers);
      REQUIRE(bundle->weights().lm_head.Is<Int4Linear>());
      const auto& head = std::get<Int4Linear>(bundle->weights().lm_head.layer);
      CHECK(head.group == (type == TensorType::kF32 ? kInt4WideGroup : kInt4Group));
      const int rows = model.config.vocab_size;
      CHECK(head.n == rows);
      std::vector<float> exact(size_t{64} * rows);
      REQUIRE(model.source->tensors()
                  .ReadRows(model.source->decoder().lm_head, 0, rows, exact.data())
                  .ok());
      double error = 0, power = 0;
      for (int i = 0; i < 64 * rows; ++i) {
        const double left = exact[i] - UnpackInt4(head, i / 64, i % 64);
        error += left * left;
        power += double{exact[i]} * exact[i];
      }
      // GPTQ adds the errors of columns that it compensates.
      CHECK(error <= (type == TensorType::kF32 ? 0.01 * power : 0));
      // The norms are not smoothed.
      for (int i = 0; i < 64; ++i) {
        CHECK(bundle->weights().final_norm[i] == bundle->weights().state_norm[i]);
      }
    }
  }
}

}  // namespace
}  // namespace edgegate
