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
const std::string kGolden = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/";
const std::string kModels = kGolden + "models/";

// A checkpoint below tests/golden, and how it is packed.
struct Packing {
  const char* model;
  WeightFormat format;
  int narrow_width;
};

// Packs the checkpoint and returns the bytes of the bundle.
std::string Pack(const Packing& packing, const std::string& path) {
  auto source = ModelSource::Open(kGolden + packing.model);
  REQUIRE(source.ok());
  QuantizeOptions options;
  options.format = packing.format;
  options.narrow_width = packing.narrow_width;
  REQUIRE(Quantize(**source, path, options).ok());
  return ReadFile(path);
}

TEST_CASE("a bundle is the same bytes for any number of threads") {
  TemporaryFolder folder;
  for (const Packing& packing :
       {Packing{"models/glm-edge", kWeightFormat<Int8Format>, 512},
        Packing{"models/glm-edge", kWeightFormat<Int8Format>, 0},
        Packing{"models/qwen2", kWeightFormat<Int4Format>, 512},
        Packing{"vision/glm-edge-v", kWeightFormat<Int8Format>, 0},
        Packing{"vision/glm-edge-v-odd", kWeightFormat<Int4Format>, 512}}) {
    CAPTURE(packing.model);
    const std::string want = Pack(packing, folder / "alone.edgegate");
    for (const int threads : {1, 2, 3, 7}) {
      CAPTURE(threads);
      ThreadPool pool(threads);
      const ThreadPool::Use use(&pool);
      CHECK(Pack(packing, folder / "b.edgegate") == want);
    }
  }
}

TEST_CASE("a bundle is the same bytes on each instruction set") {
  TemporaryFolder folder;
  for (const Packing& packing : {Packing{"models/glm-edge", kWeightFormat<Int8Format>, 512},
                                 Packing{"models/qwen2", kWeightFormat<Int4Format>, 512},
                                 Packing{"vision/glm-edge-v", kWeightFormat<Int8Format>, 512},
                                 Packing{"vision/glm-edge-v-odd", kWeightFormat<Int4Format>, 512},
                                 Packing{"embeddings/bert", kWeightFormat<Int8Format>, 512}}) {
    CAPTURE(packing.model);
    std::string want;
    ForEachIsa("quantize", [&] {
      const std::string got = Pack(packing, folder / "b.edgegate");
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
