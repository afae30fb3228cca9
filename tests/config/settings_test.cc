#include "config/settings.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/config/settings_documents.h"

namespace edgegate {
namespace {

// Compares the part of a file between the markers with `expected`; without markers, the whole file.
// With EDGEGATE_UPDATE set, writes it instead.
void CheckDocument(const std::string& name, const std::string& begin, const std::string& end,
                   const std::string& expected) {
  const std::string path = std::string(EDGEGATE_SOURCE_DIR) + name;
  std::stringstream stream;
  stream << std::ifstream(path).rdbuf();
  const std::string text = stream.str();
  const size_t from = text.find(begin), to = end.empty() ? text.size() : text.find(end);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  const std::string wanted = text.substr(0, from) + begin + expected + text.substr(to);
  if (std::getenv("EDGEGATE_UPDATE") != nullptr) std::ofstream(path) << wanted;
  INFO("EDGEGATE_UPDATE=1 settings_test writes " << name);
  CHECK((text == wanted || std::getenv("EDGEGATE_UPDATE") != nullptr));
}

TEST_CASE("the sample file and docs/settings.md have every setting with its default") {
  CheckDocument("/config/edgegate.toml", "", "", SampleSettings());
  CheckDocument("/docs/settings.md", "<!-- table -->\n", "<!-- end of table -->", SettingsTable());
}

TEST_CASE("the sample file sets every setting to its default") {
  const Settings defaults;
  Settings settings;
  settings.port = 1;
  settings.kv_cache_mb = 1;
  settings.huge_pages = false;
  settings.api_keys = {"x"};
  REQUIRE(LoadSettingsText(SampleSettings(), "sample", &settings).ok());
  CHECK(settings.port == defaults.port);
  CHECK(settings.kv_cache_mb == defaults.kv_cache_mb);
  CHECK(settings.huge_pages == defaults.huge_pages);
  CHECK(settings.api_keys == defaults.api_keys);
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
      {"[[model]]\npath = \"x\"\nembedding = 1", "model.embedding must be true or false"},
      {"[[model]]\npath = \"x\"\ndecision_temperature = 0",
       "model.decision_temperature must be a number from 0.01 to 100"},
      {"[[model]]\npath = \"x\"\ndecision_temperature = \"1\"",
       "model.decision_temperature must be a number from 0.01 to 100"},
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

TEST_CASE("environment variables override the file, and misspelt ones are errors") {
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

TEST_CASE("a list of the environment replaces the list of the file") {
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

TEST_CASE("a choice setting accepts its words only, and its error lists them") {
  Settings settings;
  REQUIRE(SetSetting("engine.kv_cache_type", "int8", &settings).ok());
  CHECK(settings.kv_cache_type == "int8");
  CHECK(SetSetting("engine.kv_cache_type", "fp8", &settings).message() ==
        "engine.kv_cache_type is \"fp8\": must be bf16 or int8");
  CHECK(settings.kv_cache_type == "int8");
}

TEST_CASE("a model setting names the vision part of a GGUF model by + or by mmproj") {
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

TEST_CASE("a model table can name a draft model") {
  Settings settings;
  REQUIRE(
      LoadSettingsText("[[model]]\npath = \"a.gguf\"\ndraft = \"b.gguf\"", "f", &settings).ok());
  CHECK(settings.models.at(0).draft == "b.gguf");
  CHECK(LoadSettingsText("[[model]]\npath = \"c\"\ntool_format = \"glm4\"", "f", &settings).ok());
  CHECK(settings.models.back().tool_format == "glm4");
}

TEST_CASE("a model table can give the temperature of decisions") {
  Settings settings;
  const char* text =
      "[[model]]\npath = \"a\"\ndecision_temperature = 2\n"
      "[[model]]\npath = \"b\"\ndecision_temperature = 0.5\n[[model]]\npath = \"c\"";
  REQUIRE(LoadSettingsText(text, "f", &settings).ok());
  CHECK(settings.models.at(0).decision_temperature == 2.0f);
  CHECK(settings.models.at(1).decision_temperature == 0.5f);
  CHECK_FALSE(settings.models.at(2).decision_temperature);
}

TEST_CASE("NAME=PATH names a model; a path with = in it does not") {
  CHECK(ParseModel("a=b/c").name == "a");
  CHECK(ParseModel("a=b/c").path == "b/c");
  CHECK(ParseModel("./x=y").name == "");
  CHECK(ParseModel("./x=y").path == "./x=y");
}

}  // namespace
}  // namespace edgegate
