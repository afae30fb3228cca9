#include "server/cli/suggestion.h"

#include <doctest/doctest.h>

namespace edgegate {
namespace {

const std::vector<std::string> kCommands = {"serve", "run", "list", "quantize", "bench"};

TEST_CASE("a word with few changes is suggested") {
  CHECK(ClosestWord("srve", kCommands) == "serve");
  CHECK(ClosestWord("sevre", kCommands) == "serve");
  CHECK(ClosestWord("quantise", kCommands) == "quantize");
  CHECK(ClosestWord("rum", kCommands) == "run");
  CHECK(ClosestWord("BENCH", kCommands) == "bench");
}

TEST_CASE("a word that is too different is not") {
  CHECK(ClosestWord("sing", kCommands).empty());
  CHECK(ClosestWord("", kCommands).empty());
  CHECK(ClosestWord("list", {}).empty());
  CHECK(ClosestWord(std::string(100000, 'x'), kCommands).empty());
}

TEST_CASE("the beginning of a word is enough, and fewer changes come first") {
  const std::vector<std::string> models = {"SmolLM2-135M-Instruct.Q4_1", "edge-demo-v", "smola"};
  CHECK(ClosestWord("smollm2", models) == "SmolLM2-135M-Instruct.Q4_1");
  CHECK(ClosestWord("smol", models) == "smola");
  CHECK(ClosestWord("edge-demo", models) == "edge-demo-v");
  CHECK(ClosestWord("Sm", models).empty());
}

TEST_CASE("the suggestion is a sentence") {
  CHECK(DidYouMean("srve", kCommands) == " Did you mean serve?");
  CHECK(DidYouMean("sing", kCommands).empty());
}

}  // namespace
}  // namespace edgegate
