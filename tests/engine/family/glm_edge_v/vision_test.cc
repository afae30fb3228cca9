// Pictures, from published files to the rows that the text model reads, on the golden checkpoints.

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/family/bundle.h"
#include "engine/family/decoder/decoder_runner.h"
#include "engine/family/glm_edge_v/float_vision.h"
#include "engine/family/glm_edge_v/vision_quantize.h"
#include "engine/family/quantize.h"
#include "tests/fakes/worst.h"

namespace edgegate {
namespace {

const std::string kModels = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/vision/";

// The picture that make.py's formula gives.
std::vector<uint8_t> Pattern(int size) {
  std::vector<uint8_t> pixels(static_cast<size_t>(size) * size * 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 7919 >> 3);
  return pixels;
}

std::vector<std::vector<float>> GoldenRows(const std::string& name) {
  std::ifstream file(kModels + name + ".json");
  return nlohmann::json::parse(file)["pattern"].get<std::vector<std::vector<float>>>();
}

TEST_CASE("the float reference gives transformers' rows, from either kind of file") {
  for (const char* name : {"glm-edge-v", "glm-edge-v-odd", "glm-edge-v.gguf"}) {
    CAPTURE(name);
    const bool gguf = std::string(name).ends_with("gguf");
    auto source = ModelSource::Open(kModels + name, gguf ? kModels + "glm-edge-v.mmproj.gguf" : "");
    REQUIRE_MESSAGE(source.ok(), source.status().message());
    const int width = (*source)->config().hidden_size;
    const auto rows = FloatImageRows(**source, Pattern((*source)->config().vision->image_size));
    REQUIRE(rows.ok());
    const auto golden = GoldenRows(gguf ? "glm-edge-v" : name);
    REQUIRE(rows->size() == golden.size() * static_cast<size_t>(width));
    float worst = 0;
    for (size_t r = 0; r < golden.size(); ++r) {
      for (int i = 0; i < width; ++i) {
        worst = Worst(worst, std::fabs((*rows)[r * width + i] - golden[r][i]));
      }
    }
    CHECK(worst < (gguf ? 5e-3f : 2e-3f));  // the GGUF holds F16, the directory BF16 of the same
  }
}

std::vector<float> Encode(const Bundle& bundle, const std::vector<uint8_t>& pixels, int threads,
                          Int8MatMul::Backend backend) {
  ThreadPool pool(threads);
  RunnerOptions options;
  options.pool = &pool;
  options.backend = backend;
  options.kv_cache_bytes = 1 << 20;
  auto runner = DecoderRunner::Make(bundle.weights(), options);
  REQUIRE(runner.ok());
  const RunnerLimits& limits = (*runner)->limits();
  std::vector<float> rows(static_cast<size_t>(limits.image_rows) * limits.hidden_size);
  REQUIRE((*runner)->BeginImage(std::make_shared<const std::vector<uint8_t>>(pixels)).ok());
  for (int unit = 0;; ++unit) {
    REQUIRE(unit < 1000);
    const auto done = (*runner)->EncodeUnit(rows.data());
    REQUIRE(done.ok());
    if (*done) return rows;
  }
}

TEST_CASE(
    "the INT8 encoder is near the float reference, with the same bytes for any slices and "
    "threads") {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("eg-v-{}", getpid());
  std::filesystem::create_directories(folder);
  struct Case {
    const char* name;
    int fine_width;  // 0: a tower as wide ones have it
    double most;
  };
  const char* trained = "../../../tools/edge-demo-v/model";
  for (const Case& c : {Case{"glm-edge-v", 0, 0.04}, Case{"glm-edge-v", 512, 0.002},
                        Case{"glm-edge-v-odd", 0, 0.04}, Case{"glm-edge-v-odd", 512, 0.002},
                        Case{trained, 0, 0.02}, Case{trained, 512, 0.002}}) {
    CAPTURE(c.name);
    CAPTURE(c.fine_width);
    auto source = ModelSource::Open(kModels + c.name);
    REQUIRE(source.ok());
    const std::string path = folder / "bundle";
    QuantizeOptions options;
    options.fine_width = c.fine_width;
    REQUIRE(Quantize(**source, path, options).ok());
    auto bundle = Bundle::Open(path);
    REQUIRE_MESSAGE(bundle.ok(), bundle.status().message());
    const auto pixels = CalibrationPicture((*source)->config().vision->image_size);
    const auto want = FloatImageRows(**source, pixels);
    REQUIRE(want.ok());
    const auto got = Encode(**bundle, pixels, 1, Int8MatMul::Backend::kAuto);
    REQUIRE(got.size() == want->size());
    double error = 0, power = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      error += std::pow(got[i] - (*want)[i], 2);
      power += std::pow((*want)[i], 2);
    }
    CHECK(std::sqrt(error / power) < c.most);
    CHECK(Encode(**bundle, pixels, 2, Int8MatMul::Backend::kOwn) == got);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace edgegate
