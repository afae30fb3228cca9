// Tests how a bundle is made: threads, progress, and errors in between.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "engine/base/thread_pool.h"
#include "engine/family/quantize.h"
#include "tests/fakes/kernel_paths.h"
#include "tests/fakes/temporary_folder.h"

namespace edgegate {
namespace {

namespace fs = std::filesystem;
const std::string kModels = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/models/";

TEST_CASE("a bundle is the same bytes for any number of threads") {
  TemporaryFolder folder;
  const std::string vision = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/vision/";
  for (const auto& [model, format, narrow_width] :
       {std::tuple{kModels + "glm-edge", kWeightFormat<Int8Format>, 512},
        {kModels + "glm-edge", kWeightFormat<Int8Format>, 0},
        {kModels + "qwen2", kWeightFormat<Int4Format>, 512},
        {vision + "glm-edge-v", kWeightFormat<Int8Format>, 0},
        {vision + "glm-edge-v-odd", kWeightFormat<Int4Format>, 512}}) {
    const std::string path = model;
    CAPTURE(path);
    auto source = ModelSource::Open(path);
    REQUIRE(source.ok());
    QuantizeOptions options;
    options.format = format;
    options.narrow_width = narrow_width;
    REQUIRE(Quantize(**source, folder / "alone.edgegate", options).ok());
    const std::string want = ReadFile(folder / "alone.edgegate");
    for (const int threads : {1, 2, 3, 7}) {
      CAPTURE(threads);
      ThreadPool pool(threads);
      const ThreadPool::Use use(&pool);
      REQUIRE(Quantize(**source, folder / "b.edgegate", options).ok());
      CHECK(ReadFile(folder / "b.edgegate") == want);
    }
  }
}

TEST_CASE("a bundle is the same bytes on each instruction set") {
  TemporaryFolder folder;
  const std::string golden = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/";
  for (const auto& [model, format, narrow_width] :
       {std::tuple{golden + "models/glm-edge", kWeightFormat<Int8Format>, 512},
        {golden + "models/qwen2", kWeightFormat<Int4Format>, 512},
        {golden + "vision/glm-edge-v", kWeightFormat<Int8Format>, 512},
        {golden + "vision/glm-edge-v-odd", kWeightFormat<Int4Format>, 512},
        {golden + "embeddings/bert", kWeightFormat<Int8Format>, 512}}) {
    const std::string path = model;
    CAPTURE(path);
    auto source = ModelSource::Open(path);
    REQUIRE(source.ok());
    QuantizeOptions options;
    options.format = format;
    options.narrow_width = narrow_width;
    std::string want;
    ForEachIsa("quantize", [&] {
      REQUIRE(Quantize(**source, folder / "b.edgegate", options).ok());
      const std::string got = ReadFile(folder / "b.edgegate");
      if (want.empty()) want = got;
      CHECK(got == want);
    });
  }
}

TEST_CASE("progress never falls, ends at its total once, and can stop the work") {
  TemporaryFolder folder;
  auto source = ModelSource::Open(kModels + "glm-edge");
  REQUIRE(source.ok());
  std::vector<int> seen;
  QuantizeOptions options;
  options.progress = [&](int done, int total, std::string_view) {
    CHECK((done == total) == fs::exists(folder / "a.edgegate"));
    seen.push_back(1000 * done / total);
    return true;
  };
  REQUIRE(Quantize(**source, folder / "a.edgegate", options).ok());
  CHECK(seen.front() == 0);
  CHECK(seen.back() == 1000);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  for (size_t calls = 0; calls + 1 < seen.size(); ++calls) {
    CAPTURE(calls);
    size_t left = calls;
    options.progress = [&](int, int, std::string_view) { return left-- > 0; };
    const Status status = Quantize(**source, folder / "b.edgegate", options);
    CHECK(status.code() == StatusCode::kCancelled);
    CHECK_FALSE(fs::exists(folder / "b.edgegate"));
  }
}

TEST_CASE(
    "a value that is not finite is an error that names the tensor, for any number of threads") {
  TemporaryFolder folder;
  for (const auto& entry : fs::directory_iterator(kModels + "llama3")) {
    fs::copy(entry.path(), folder.path);
  }
  std::string tensors = ReadFile(folder / "model.safetensors");
  tensors.replace(tensors.size() - 2, 2, "\x80\x7f");  // infinity in BF16
  WriteFile(folder / "model.safetensors", tensors);
  auto source = ModelSource::Open(folder.path);
  REQUIRE(source.ok());
  for (const int threads : {1, 4}) {
    ThreadPool pool(threads);
    const ThreadPool::Use use(&pool);
    const Status status = Quantize(**source, folder / "a.edgegate", {});
    CHECK(status.code() == StatusCode::kDataLoss);
    CHECK(status.message().find("not finite at element") != std::string::npos);
  }
}

}  // namespace
}  // namespace edgegate
