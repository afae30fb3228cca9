#include "engine/family/registry.h"

#include <doctest/doctest.h>
#include <fmt/ranges.h>

#include <set>
#include <string>
#include <vector>

namespace edgegate {
namespace {

TEST_CASE("each architecture belongs to one family, which is found by it") {
  std::set<std::string> hugging_face, gguf;
  for (const DecoderFamily& family : DecoderFamilies()) {
    if (family.hugging_face) {
      const std::string& name = family.hugging_face->architecture;
      CHECK(hugging_face.insert(name).second);
      REQUIRE(FindHfFamily(name).ok());
      CHECK(*FindHfFamily(name) == &family);
    }
    if (family.gguf) {
      CHECK(gguf.insert(family.gguf->architecture).second);
      REQUIRE(FindGgufFamily(family.gguf->architecture).ok());
      CHECK(*FindGgufFamily(family.gguf->architecture) == &family);
    }
  }
}

TEST_CASE("an architecture that is not supported is named, with those that are") {
  std::vector<std::string> hugging_face, gguf;
  for (const DecoderFamily& family : DecoderFamilies()) {
    if (family.hugging_face) hugging_face.push_back(family.hugging_face->architecture);
    if (family.gguf) gguf.push_back(family.gguf->architecture);
  }
  const Status hf = FindHfFamily("MambaForCausalLM").status();
  CHECK(hf.code() == StatusCode::kUnimplemented);
  CHECK(hf.message() == "architecture \"MambaForCausalLM\" is not supported; these are: " +
                            fmt::format("{}", fmt::join(hugging_face, ", ")));
  CHECK(FindGgufFamily("bert").status().message() ==
        "general.architecture \"bert\" is not supported; these are: " +
            fmt::format("{}", fmt::join(gguf, ", ")));
  CHECK(FindHfFamily("GlmForCausalLM").ok());
  CHECK(FindGgufFamily("chatglm").ok());
}

TEST_CASE("media families have unique names, and are found by them") {
  std::set<std::string> names;
  for (const MediaFamily* family : MediaFamilies()) {
    CHECK(names.insert(family->name()).second);
    REQUIRE(FindMediaFamily(family->name()).ok());
    CHECK(*FindMediaFamily(family->name()) == family);
  }
  CHECK(FindMediaFamily("none").status().code() == StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace edgegate
