// Tests images from published files to the rows that the decoder reads, on the golden checkpoints.

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/family/bundle.h"
#include "engine/family/decoder/decoder_runner.h"
#include "engine/family/glm_edge_v/family.h"
#include "engine/family/glm_edge_v/float_reference.h"
#include "engine/family/glm_edge_v/quantize.h"
#include "engine/family/quantize.h"
#include "tests/fakes/worst.h"

namespace edgegate {
namespace {

const std::string kModels = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/vision/";

// Returns the image that make.py computes.
std::vector<uint8_t> Pattern(int size) {
  std::vector<uint8_t> pixels(static_cast<size_t>(size) * size * 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 7919 >> 3);
  return pixels;
}

Result<std::vector<float>> FloatRows(const ModelSource& source,
                                     const std::vector<uint8_t>& pixels) {
  const auto& media = static_cast<const glm_edge_v::Source&>(*source.media());
  return glm_edge_v::ImageRows(media.config(), source.config().hidden_size, source.tensors(),
                               media.tensors(), pixels);
}

std::vector<std::vector<float>> GoldenRows(const std::string& name) {
  std::ifstream file(kModels + name + ".json");
  return nlohmann::json::parse(file)["pattern"].get<std::vector<std::vector<float>>>();
}

TEST_CASE("the float reference gives the rows of transformers, from both kinds of files") {
  for (const char* name : {"glm-edge-v", "glm-edge-v-odd", "glm-edge-v.gguf"}) {
    CAPTURE(name);
    const bool gguf = std::string(name).ends_with("gguf");
    auto source = ModelSource::Open(kModels + name, gguf ? kModels + "glm-edge-v.mmproj.gguf" : "");
    REQUIRE_MESSAGE(source.ok(), source.status().message());
    const int width = (*source)->config().hidden_size;
    const auto rows = FloatRows(**source, Pattern((*source)->config().media->image_size()));
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
  const MediaItem item = SquareImage(std::make_shared<const std::vector<uint8_t>>(pixels),
                                     (*runner)->limits().media->image_size(), "");
  MediaEncoder* encoder = (*runner)->media_encoder();
  CHECK_FALSE(encoder->Slice().ok());
  REQUIRE(encoder->Begin(item).ok());
  for (int slice = 0;; ++slice) {
    REQUIRE(slice < 1000);
    const auto done = encoder->Slice();
    REQUIRE(done.ok());
    if (*done) break;
    CHECK_FALSE(encoder->End().ok());
  }
  auto embedding = encoder->End();
  REQUIRE(embedding.ok());
  CHECK_FALSE(encoder->End().ok());
  const auto layout = (*runner)->limits().media->Layout(item);
  REQUIRE(layout.ok());
  CHECK(embedding->rows == layout->rows);
  CHECK(embedding->width == (*runner)->limits().hidden_size);
  CHECK(embedding->deep_layers == 0);
  return std::move(embedding->data);
}

TEST_CASE("items of other kinds and shapes are refused") {
  glm_edge_v::Config config;
  config.canvas = 28;
  config.patch_size = 14;
  const auto pixels = [](size_t bytes) { return std::make_shared<std::vector<uint8_t>>(bytes); };
  MediaItem good = SquareImage(pixels(28 * 28 * 3), 28, "");
  REQUIRE(config.Layout(good).ok());
  CHECK(config.Layout(good)->rows == 3);
  CHECK(config.Layout(good)->positions.empty());
  MediaItem video = good;
  video.kind = MediaKind::kVideo;
  CHECK(config.Layout(video).status().code() == StatusCode::kInvalidArgument);
  CHECK_FALSE(config.Layout(SquareImage(pixels(14 * 14 * 3), 14, "")).ok());
  CHECK_FALSE(config.Layout(SquareImage(pixels(14 * 14 * 3), 28, "")).ok());
  good.pixels.reset();
  CHECK_FALSE(config.Layout(good).ok());
}

TEST_CASE("the config's JSON is read unchanged, and errors name damaged fields") {
  glm_edge_v::Config config;
  config.hidden_size = 64;
  config.intermediate_size = 96;
  config.num_layers = 2;
  config.num_heads = 4;
  config.canvas = 28;
  config.patch_size = 14;
  config.layer_norm_eps = 1e-6f;
  config.adapter_size = 80;
  config.image_token_id = 7;
  const auto read = [](const std::string& text) {
    return glm_edge_v::ParseBundle(*Json::Parse(text));
  };
  const auto back = read(config.ToJson());
  REQUIRE_MESSAGE(back.ok(), back.status().message());
  CHECK(back->ToJson() == config.ToJson());
  const auto good = nlohmann::json::parse(config.ToJson());
  for (const auto& member : good.items()) {
    for (const nlohmann::json& bad :
         {nlohmann::json(7.6e79), nlohmann::json("1"), nlohmann::json(true), nlohmann::json()}) {
      auto changed = good;
      changed[member.key()] = bad;
      CAPTURE(changed.dump());
      CHECK(read(changed.dump()).status().message().find(member.key()) != std::string::npos);
    }
  }
  for (const char* field : {"hidden_size", "num_layers", "patch_size"}) {
    auto changed = good;
    changed[field] = 0;
    CHECK_FALSE(read(changed.dump()).ok());
  }
}

TEST_CASE(
    "the INT8 encoder is near the float reference, with the same bytes for any slices and "
    "threads") {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("eg-v-{}", getpid());
  std::filesystem::create_directories(folder);
  struct Case {
    const char* name;
    int narrow_width;  // 0: INT8, as in wide towers
    double most;
  };
  const char* trained = "../../../tools/edge-demo-v/model";
  for (const Case& c : {Case{"glm-edge-v", 0, 0.04}, Case{"glm-edge-v", 512, 0.002},
                        Case{"glm-edge-v-odd", 0, 0.04}, Case{"glm-edge-v-odd", 512, 0.002},
                        Case{trained, 0, 0.02}, Case{trained, 512, 0.002}}) {
    CAPTURE(c.name);
    CAPTURE(c.narrow_width);
    auto source = ModelSource::Open(kModels + c.name);
    REQUIRE(source.ok());
    const std::string path = folder / "bundle";
    QuantizeOptions options;
    options.narrow_width = c.narrow_width;
    REQUIRE(Quantize(**source, path, options).ok());
    auto bundle = Bundle::Open(path);
    REQUIRE_MESSAGE(bundle.ok(), bundle.status().message());
    const auto pixels = glm_edge_v::CalibrationImage((*source)->config().media->image_size());
    const auto want = FloatRows(**source, pixels);
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
