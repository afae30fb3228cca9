// Tests files that other processes damage, and incomplete files.

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "engine/family/bundle.h"
#include "engine/family/quantize.h"
#include "engine/weights/part_file.h"
#include "tests/fakes/temporary_folder.h"

namespace edgegate {
namespace {

namespace fs = std::filesystem;
const std::string kModels = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/models/";

// Returns the names of the files in a folder.
std::vector<std::string> Names(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  return names;
}

TEST_CASE("a bundle that is damaged while in use is reported") {
  TemporaryFolder folder;
  const auto path = EnsureBundle(kModels + "qwen3", "", folder.path, {});
  REQUIRE(path.ok());
  const auto bundle = Bundle::Open(*path);
  REQUIRE(bundle.ok());
  CHECK((*bundle)->CheckIntact().ok());
  fs::resize_file(*path, 5000);
  const auto& weights = (*bundle)->weights();
  CHECK(weights.final_norm[0] == weights.final_norm[0]);  // reading does not end the process
  const Status status = (*bundle)->CheckIntact();
  CHECK(status.code() == StatusCode::kDataLoss);
  CHECK(status.message().find(*path + ": the file was changed while in use: its size") == 0);
}

TEST_CASE("temporary files have unique names, and only those of dead writers are removed") {
  TemporaryFolder folder;
  const std::string path = folder / "a.edgegate";
  auto first = PartFile::Create(path);
  auto second = PartFile::Create(path);
  REQUIRE((first.ok() && second.ok()));
  CHECK(first->path() != second->path());
  WriteFile(path + ".dead.part", "x");
  WriteFile(folder / "other.edgegate.dead.part", "x");
  fs::create_symlink("/nowhere", path + ".link.part");
  PartFile::RemoveStale(path);
  CHECK(Names(folder.path).size() == 4);
  CHECK_FALSE(fs::exists(path + ".dead.part"));
  CHECK(first->Commit().ok());
  CHECK(second->Commit().ok());
  CHECK(fs::exists(path));
  CHECK(Names(folder.path).size() == 3);
  { const auto third = PartFile::Create(path); }
  CHECK(Names(folder.path).size() == 3);
  CHECK(PartFile::Create(folder / "none/a").status().message() ==
        "cannot create a file beside " + (folder / "none/a") + ": No such file or directory");
}

TEST_CASE("a full disk is an error, and no file is left") {
  TemporaryFolder folder;
  auto source = ModelSource::Open(kModels + "qwen3");
  REQUIRE(source.ok());
  rlimit limit = {};
  getrlimit(RLIMIT_FSIZE, &limit);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {100'000, limit.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const Status status = Quantize(**source, folder / "a.edgegate", {});
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  CHECK(status.code() == StatusCode::kResourceExhausted);
  CHECK(status.message().find("cannot write") == 0);
  CHECK(status.message().find("File too large") != std::string::npos);
  CHECK(Names(folder.path).empty());
}

TEST_CASE("a source that is truncated or rewritten while it is quantized is an error") {
  TemporaryFolder folder;
  const std::string model = folder / "model.gguf", bundle = folder / "a.edgegate";
  for (const bool truncated : {false, true}) {
    WriteFile(model, ReadFile(kModels + "qwen3.gguf"));
    // Lets the file system's clock advance.
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    auto source = ModelSource::Open(model);
    REQUIRE(source.ok());
    QuantizeOptions options;
    options.progress = [&, changed = false](int done, int, std::string_view) mutable {
      if (done == 0 || std::exchange(changed, true)) return true;
      if (truncated) {
        fs::resize_file(model, 100'000);
      } else {
        std::fstream(model, std::ios::in | std::ios::out | std::ios::binary).put('G');
      }
      return true;
    };
    const Status status = Quantize(**source, bundle, options);
    CHECK(status.code() == StatusCode::kDataLoss);
    CAPTURE(status.message());
    CHECK(status.message().find(model) == 0);
    CHECK(Names(folder.path).size() == 1);
  }
}

}  // namespace
}  // namespace edgegate
