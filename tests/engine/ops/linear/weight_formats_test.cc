// Tests each weight format: packed, written, loaded and computed.

#include "engine/ops/linear/weight_formats.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include "config/settings.h"
#include "engine/base/half.h"
#include "engine/ops/linear/int4/pack.h"
#include "tests/fakes/memory_tensors.h"
#include "tests/fakes/normal_values.h"
#include "tests/fakes/worst.h"

namespace edgegate {
namespace {

constexpr LinearShape kShape{.n = 100, .k = 72};
constexpr int kRows = 5;

// Packs `rows` [n][k] in blocks.
void Pack(LinearPacker* packer, const std::vector<float>& rows) {
  for (int first = 0; first < kShape.n; first += 64) {
    packer->Pack(first / 64, rows.data() + int64_t{first} * kShape.k,
                 std::min(64, kShape.n - first));
  }
  packer->Finish();
}

// Returns the largest difference between the layer's outputs and those of `rows` and `bias` in
// double.
double WorstOutput(const Linear& w, const std::vector<float>& rows,
                   const std::vector<float>& bias) {
  LinearFormatSet formats;
  formats.Add(w);
  LinearMatMul matmul({kRows, 128}, formats, Int8MatMul::Backend::kAuto);
  const auto x = Normal(size_t{kRows} * kShape.k, 9);
  matmul.Quantize(w, x.data(), kShape.k, kRows);
  std::vector<float> out(size_t{kRows} * kShape.n);
  matmul.Store(w, out.data(), kShape.n);
  double worst = 0;
  for (int r = 0; r < kRows; ++r) {
    for (int n = 0; n < kShape.n; ++n) {
      double want = bias[n];
      for (int i = 0; i < kShape.k; ++i) {
        want += double{x[r * kShape.k + i]} * rows[n * kShape.k + i];
      }
      worst = Worst(worst, std::fabs(out[r * kShape.n + n] - want));
    }
  }
  return worst;
}

Linear Load(WeightFormat format, MemoryTensors* tensors) {
  return InfoOf(format).load(tensors, "layer", kShape, true);
}

TEST_CASE("INT8 tensors are written in order and load as the packed layer") {
  const auto rows = Normal(size_t{100} * 72, 1), bias = Normal(100, 2);
  MemoryTensors tensors;
  Pack(MakeInt8Packer(&tensors, "layer", kShape, bias).get(), rows);
  CHECK(tensors.order ==
        std::deque<std::string>{"layer.packed", "layer.scale", "layer.column_sum", "layer.bias"});
  const Linear w = Load(kWeightFormat<Int8Format>, &tensors);
  CHECK(tensors.missing.empty());
  REQUIRE(w.Is<Int8Linear>());
  CHECK(w.n() == 100);
  CHECK(w.k() == 72);
  CHECK(WorstOutput(w, rows, bias) < 0.5);
}

TEST_CASE("INT16 tensors load as the packed layer, in the place of INT8") {
  const auto rows = Normal(size_t{100} * 72, 1), bias = Normal(100, 2);
  MemoryTensors tensors;
  Pack(MakeInt16Packer(&tensors, "layer", kShape, bias).get(), rows);
  CHECK(tensors.order == std::deque<std::string>{"layer.int16", "layer.scale", "layer.bias"});
  const Linear w = Load(kWeightFormat<Int8Format>, &tensors);
  CHECK(tensors.missing.empty());
  REQUIRE(w.Is<Int16Linear>());
  CHECK(w.n() == 100);
  CHECK(WorstOutput(w, rows, bias) < 0.01);
}

TEST_CASE("4-bit tensors load as the packed layer, in groups of both sizes") {
  for (const int size : {kInt4Group, kInt4WideGroup}) {
    CAPTURE(size);
    std::mt19937 random(3);
    std::vector<Int4Group> groups(size_t{100} * Int4Groups(72));
    for (size_t i = 0; i < groups.size(); ++i) {
      groups[i].scale = FloatToF16(0.125f);
      groups[i].minimum = FloatToF16(-1.0f);
      for (uint8_t& q : groups[i].q) q = static_cast<uint8_t>(random());
    }
    const auto bias = Normal(100, 2);
    MemoryTensors tensors;
    WriteInt4(&tensors, "layer", groups, 72, size, bias);
    const char* name = size == 64 ? "layer.int4x64" : "layer.int4";
    CHECK(tensors.order == std::deque<std::string>{name, "layer.bias"});
    const Linear w = LoadAnyFormat(&tensors, "layer", {100, 72}, true);
    CHECK(tensors.missing.empty());
    REQUIRE(w.Is<Int4Linear>());
    std::vector<float> rows;
    for (int n = 0; n < 100; ++n) {
      for (int k = 0; k < 72; ++k) {
        rows.push_back(UnpackInt4(std::get<Int4Linear>(w.layer), n, k));
        CHECK(rows.back() ==
              0.125f * static_cast<float>(groups[n * 3 + k / 32].level(k % 32)) - 1.0f);
      }
    }
    CHECK(WorstOutput(w, rows, bias) < 0.5);
  }
}

TEST_CASE("each packer's tensors give the layer that was packed") {
  const auto rows = Normal(size_t{100} * 72, 1), bias = Normal(100, 2);
  for (const WeightFormatInfo& info : WeightFormats()) {
    CAPTURE(std::string(info.name));
    for (MakeLinearPacker* const make : {info.packer, info.narrow_packer}) {
      if (make == nullptr) continue;
      MemoryTensors tensors;
      Pack(make(&tensors, "layer", kShape, bias).get(), rows);
      const Linear w = info.load(&tensors, "layer", kShape, true);
      CHECK(tensors.missing.empty());
      CHECK(w.n() == kShape.n);
      CHECK(w.k() == kShape.k);
      CHECK(WorstOutput(w, rows, bias) < 0.5);
      CHECK(LoadAnyFormat(&tensors, "layer", kShape, true).layer.index() == w.layer.index());
    }
  }
}

TEST_CASE("a tensor that is missing or has another size is reported by the reader") {
  MemoryTensors tensors;
  Pack(MakeInt8Packer(&tensors, "layer", kShape, Normal(100, 2)).get(), Normal(7200, 1));
  (void)InfoOf(kWeightFormat<Int8Format>).load(&tensors, "layer", {kShape.n, kShape.k + 64}, true);
  CHECK(tensors.missing == "layer.packed");
  tensors.missing.clear();
  tensors.Erase("layer.scale");
  (void)Load(kWeightFormat<Int8Format>, &tensors);
  CHECK(tensors.missing == "layer.scale");
  tensors.missing.clear();
  (void)Load(kWeightFormat<Int4Format>, &tensors);
  CHECK(tensors.missing == "layer.int4");
  tensors.missing.clear();
  (void)LoadAnyFormat(&tensors, "none", kShape, true);
  CHECK(tensors.missing == "none.packed");
}

TEST_CASE("formats have names, and random weights that compute") {
  std::set<std::string_view> names;
  WeightArena arena;
  for (const WeightFormatInfo& info : WeightFormats()) {
    CAPTURE(std::string(info.name));
    CHECK(names.insert(info.name).second);
    CHECK(WeightFormatName(info.format) == info.name);
    const auto parsed = ParseWeightFormat(info.name);
    REQUIRE(parsed.ok());
    CHECK(*parsed == info.format);
    Settings settings;
    CHECK(SetSetting("engine.weight_format", info.name, &settings).ok());
    const Linear w = info.random(&arena, kShape);
    CHECK(w.n() == kShape.n);
    LinearFormatSet formats;
    formats.Add(w);
    if (info.format == kWeightFormat<Int8Format>) CHECK(formats.CheapRows() == 8);
    if (info.format == kWeightFormat<Int4Format>) CHECK(formats.CheapRows() == 4);
    CHECK(formats.CheapRows() > 0);
    LinearMatMul matmul({1, 128}, formats, Int8MatMul::Backend::kOwn);
    const std::vector<float> x(72, 1.0f);
    std::vector<float> out(100);
    matmul.Quantize(w, x.data(), 72, 1);
    matmul.Store(w, out.data(), 100);
    CHECK(std::all_of(out.begin(), out.end(), [](float v) { return std::isfinite(v); }));
    CHECK(std::any_of(out.begin(), out.end(), [&](float v) { return v != out[0]; }));
  }
  CHECK(ParseWeightFormat("int3").status().message() ==
        "weight format \"int3\": must be " + WeightFormatNames());
  CHECK(WeightFormatNames().starts_with("int8 or int4"));
}

TEST_CASE("RandomInt8 gives the column sums of its weights") {
  WeightArena arena;
  const Int8Linear w = RandomInt8(&arena, kShape);
  for (int n = 0; n < w.n_padded(); ++n) {
    int sum = 0;
    for (int k = 0; k < w.k_padded(); ++k) {
      sum += w.packed[((int64_t{n} / 64 * (w.k_padded() / 4) + k / 4) * 64 + n % 64) * 4 + k % 4];
    }
    CHECK(sum == w.column_sum[n]);
  }
}

}  // namespace
}  // namespace edgegate
