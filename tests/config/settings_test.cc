#include "config/settings.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

namespace edgegate {
namespace {

std::string ReadFile(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(std::string(EDGEGATE_SOURCE_DIR) + path).rdbuf();
  return text.str();
}

TEST_CASE("the sample file names every setting, with its default") {
  const std::string sample = ReadFile("/config/edgegate.toml");
  Settings settings;
  settings.port = 1;  // the file must put it back
  settings.kv_cache_mb = 1;
  REQUIRE(LoadSettingsText(sample, "sample", &settings).ok());
  const Settings defaults;
  CHECK(settings.port == defaults.port);
  CHECK(settings.kv_cache_mb == defaults.kv_cache_mb);
  for (const SettingInfo& info : ListSettings()) {
    const std::string name = info.key.substr(info.key.find('.') + 1);
    CAPTURE(name);
    CHECK(sample.find("\n" + name + " = " + info.default_text) != std::string::npos);
  }
}

TEST_CASE("the README tells of every setting") {
  const std::string readme = ReadFile("/README.md");
  for (const SettingInfo& info : ListSettings()) {
    CAPTURE(info.key);
    CHECK(readme.find("`" + info.key + "`") != std::string::npos);
  }
}

TEST_CASE("errors name the file, the line and the key") {
  struct Case {
    const char* text;
    const char* expected;
  };
  const Case cases[] = {
      {"[server]\nprot = 1", "f:2: unknown key server.prot"},
      {"[server]\n\nport = \"x\"", "f:3: server.port must be a whole number"},
      {"[server]\nport = 70000", "f:2: server.port is 70000: must be between 0 and 65535"},
      {"[sever]\nport = 1", "f:1: unknown section or key sever"},
      {"[server]\nport = ", "f:2"},
      {"[server]\nimage_hosts = \"x\"", "f:2: server.image_hosts must be a list of strings"},
      {"[server]\nimage_hosts = [\"x\", 1]", "server.image_hosts must be a list of strings"},
      {"[server]\napi_keys = [\"\"]", "f:2: server.api_keys must be a list of strings"},
      {"[engine]\nweight_format = \"int3\"",
       "f:2: engine.weight_format is \"int3\": must be int8 or int4"},
      {"[engine]\nkv_cache_type = \"q8\"",
       "f:2: engine.kv_cache_type is \"q8\": must be bf16 or int8"},
      {"[engine]\nkv_cache_type = 8", "engine.kv_cache_type must be a string"},
      {"[engine]\nweight_format = 4", "engine.weight_format must be a string"},
      {"[[model]]\npath = \"x\"\nmmproj = 1", "model.mmproj must be a string"},
      {"[[model]]\npath = \"x\"\ndraft = 1", "model.draft must be a string"},
      {"[[model]]\nname = \"x\"", "f:1: a [[model]] has no path"},
      {"[[model]]\npth = \"x\"", "unknown key model.pth"},
      {"model = 5", "f:1: models must be given as [[model]] tables"},
  };
  for (const Case& c : cases) {
    Settings settings;
    const Status status = LoadSettingsText(c.text, "f", &settings);
    CAPTURE(status.message());
    CHECK_FALSE(status.ok());
    CHECK(status.message().find(c.expected) != std::string::npos);
  }
}

TEST_CASE("the environment overrides, and misspelt variables are errors") {
  Settings settings;
  const char* good[] = {"PATH=x",
                        "EDGEGATE_SERVER_PORT=99",
                        "EDGEGATE_SERVER_API_KEYS=a,b",
                        "EDGEGATE_ENGINE_KV_CACHE_TYPE=int8",
                        "EDGEGATE_BIN=kept for scripts",
                        nullptr};
  REQUIRE(LoadSettingsEnvironment(good, &settings).ok());
  CHECK(settings.port == 99);
  CHECK(settings.api_keys == std::vector<std::string>{"a", "b"});
  CHECK(settings.kv_cache_type == "int8");
  const char* unknown[] = {"EDGEGATE_SERVER_PROT=99", nullptr};
  CHECK_FALSE(LoadSettingsEnvironment(unknown, &settings).ok());
  const char* wrong[] = {"EDGEGATE_SERVER_PORT=9x", nullptr};
  CHECK_FALSE(LoadSettingsEnvironment(wrong, &settings).ok());
}

TEST_CASE("lists come from the file and from the environment, which replaces them") {
  Settings settings;
  REQUIRE(
      LoadSettingsText("[server]\nimage_hosts = [\"a.example\", \"*.b.example\"]", "f", &settings)
          .ok());
  CHECK(settings.image_hosts == std::vector<std::string>{"a.example", "*.b.example"});
  REQUIRE(SetSetting("server.image_hosts", "c.example", &settings).ok());
  CHECK(settings.image_hosts == std::vector<std::string>{"c.example"});
  REQUIRE(SetSetting("server.image_hosts", "", &settings).ok());
  CHECK(settings.image_hosts.empty());
  CHECK_FALSE(SetSetting("server.api_keys", "a,,b", &settings).ok());
}

TEST_CASE("a choice takes its words only, and tells their names") {
  Settings settings;
  REQUIRE(SetSetting("engine.kv_cache_type", "int8", &settings).ok());
  CHECK(settings.kv_cache_type == "int8");
  CHECK(SetSetting("engine.kv_cache_type", "fp8", &settings).message() ==
        "engine.kv_cache_type is \"fp8\": must be bf16 or int8");
  CHECK(settings.kv_cache_type == "int8");
}

TEST_CASE("a GGUF model may have its vision part in a second file") {
  const ModelSetting flag = ParseModel("eye=m/a.gguf+m/mmproj.gguf");
  CHECK(flag.name == "eye");
  CHECK(flag.path == "m/a.gguf");
  CHECK(flag.mmproj == "m/mmproj.gguf");
  CHECK(ParseModel("m/a+b").path == "m/a+b");
  Settings settings;
  REQUIRE(
      LoadSettingsText("[[model]]\npath = \"a.gguf\"\nmmproj = \"b.gguf\"", "f", &settings).ok());
  CHECK(settings.models.at(0).mmproj == "b.gguf");
}

TEST_CASE("a model may have a draft") {
  Settings settings;
  REQUIRE(
      LoadSettingsText("[[model]]\npath = \"a.gguf\"\ndraft = \"b.gguf\"", "f", &settings).ok());
  CHECK(settings.models.at(0).draft == "b.gguf");
}

TEST_CASE("a model may be named") {
  CHECK(ParseModel("a=b/c").name == "a");
  CHECK(ParseModel("a=b/c").path == "b/c");
  CHECK(ParseModel("./x=y").name == "");
  CHECK(ParseModel("./x=y").path == "./x=y");
}

}  // namespace
}  // namespace edgegate
