#include "server/cli/named_models.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

namespace edgegate {
namespace {

namespace fs = std::filesystem;

// A model folder and a cache with one file each, and a model of the settings.
struct Folders {
  Folders() {
    fs::remove_all(root);
    fs::create_directories(root / "models");
    fs::create_directories(root / "cache");
    std::ofstream(root / "models/small.gguf") << "x";
    std::ofstream(root / "models/chat.gguf") << "x";
    std::ofstream(root / "cache/small-0123.edgegate") << "x";
    settings.model_dir = root / "models";
    settings.cache_dir = root / "cache";
    settings.models = {{"chat", root / "models/small.gguf", "", "tiny"}};
  }
  ~Folders() { fs::remove_all(root); }

  const fs::path root = fs::temp_directory_path() / "edgegate_named_models_test";
  Settings settings;
};

TEST_CASE("models of the settings come first, and hide others of the same name") {
  const Folders folders;
  std::vector<std::string> names;
  for (const NamedModel& model : NamedModels(folders.settings)) {
    names.push_back(model.setting.name);
  }
  CHECK(names == std::vector<std::string>{"chat", "small", "small-0123"});
}

TEST_CASE("a name gives the whole setting, and NAME=NAME another name") {
  const Folders folders;
  auto chat = ResolveModel("chat", folders.settings);
  REQUIRE(chat.ok());
  CHECK(chat->draft == "tiny");
  auto renamed = ResolveModel("mine=small", folders.settings);
  REQUIRE(renamed.ok());
  CHECK(renamed->name == "mine");
  CHECK(renamed->path == folders.settings.model_dir + "/small.gguf");
}

TEST_CASE("a path that exists is used as it is") {
  const Folders folders;
  const std::string path = folders.root / "models/small.gguf";
  auto model = ResolveModel(path, folders.settings);
  REQUIRE(model.ok());
  CHECK(model->path == path);
}

TEST_CASE("an unknown name gets a suggestion and the list") {
  const Folders folders;
  auto model = ResolveModel("smal", folders.settings);
  REQUIRE(!model.ok());
  CHECK(model.status().code() == StatusCode::kNotFound);
  CHECK(model.status().message() ==
        "no model or file is called smal. Did you mean small? Models: chat, small, small-0123 "
        "(edgegate list)");
}

}  // namespace
}  // namespace edgegate
