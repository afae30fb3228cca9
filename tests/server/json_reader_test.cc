#include "server/api/json/json_reader.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

std::string Repeat(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

// Returns the error message. Empty: the text was read.
std::string Refusal(const std::string& text, const JsonLimits& limits = {}) {
  const auto read = ReadJson(text, limits);
  const auto* error = std::get_if<CallError>(&read);
  if (error == nullptr) return {};
  CHECK(error->status.code() == StatusCode::kInvalidArgument);
  return error->status.message();
}

json RandomJson(std::mt19937* random, int depth) {
  switch ((*random)() % (depth > 4 ? 5 : 7)) {
    case 0:
      return nullptr;
    case 1:
      return (*random)() % 2 == 0;
    case 2:
      return static_cast<int64_t>((*random)()) - 1000000;
    case 3:
      return static_cast<double>((*random)() % 1000) / 8;
    case 4:
      return Repeat("é\"\\\n", static_cast<int>((*random)() % 4));
    case 5: {
      json list = json::array();
      for (auto i = (*random)() % 5; i > 0; --i) list.push_back(RandomJson(random, depth + 1));
      return list;
    }
    default: {
      json object = json::object();
      for (auto i = (*random)() % 5; i > 0; --i) {
        object["k" + std::to_string((*random)() % 9)] = RandomJson(random, depth + 1);
      }
      return object;
    }
  }
}

TEST_CASE("random JSON values equal the library's, with members in order") {
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    const json value = RandomJson(&random, 0);
    const auto read = ReadJson(value.dump(), JsonLimits{});
    REQUIRE(std::holds_alternative<json>(read));
    CHECK(std::get<json>(read).dump() == value.dump());
  }
}

TEST_CASE("the last of two members with one name wins") {
  const auto read = ReadJson(R"({"a": 1, "b": 2, "a": [3]})", JsonLimits{});
  CHECK(std::get<json>(read).dump() == R"({"a":[3],"b":2})");
}

TEST_CASE("errors name the JSON limit") {
  CHECK(Refusal(Repeat("[", 33) + Repeat("]", 33)) == "The body nests deeper than 32.");
  CHECK(Refusal(Repeat("[", 32) + Repeat("]", 32)).empty());
  CHECK(Refusal(Repeat("[", 1000000)) == "The body nests deeper than 32.");
  const JsonLimits small{.max_depth = 4, .max_members = 3, .max_nodes = 10, .max_values = 5};
  CHECK(Refusal(R"({"a":1,"b":1,"c":1})", small).empty());
  CHECK(Refusal(R"({"a":1,"b":1,"c":1,"d":1})", small) ==
        "An object of the body has more than 3 members.");
  CHECK(Refusal("[" + Repeat("{},", 9) + "{}]", small) ==
        "The body has more than 10 objects, arrays, strings and members.");
  CHECK(Refusal("[1,2,3,null,true]", small).empty());
  CHECK(Refusal("[1,2,3,4,5,6]", small) == "The body has more than 5 numbers.");
}

TEST_CASE("integers are exact or refused") {
  const char* const exact = R"([9007199254740993,18446744073709551615,-9223372036854775808])";
  CHECK(std::get<json>(ReadJson(exact, JsonLimits{})).dump() == exact);
  for (const char* text : {"18446744073709551616", "-9223372036854775809"}) {
    CHECK(Refusal(text) == "The body has an integer of more than 64 bits.");
  }
  CHECK(Refusal("1e30").empty());
  const auto named = ReadJson(R"({"a": 1, "b": [{"c": 99999999999999999999}]})", JsonLimits{});
  CHECK(std::get<CallError>(named).field == "b");
}

TEST_CASE("a syntax error names its byte") {
  for (const char* text :
       {"", "   ", "{", "[1,]", "{\"a\" 1}", "\"\xff\"", "nul", "1e999999", "\"\\ud800\"", "{}x"}) {
    CAPTURE(text);
    const std::string message = Refusal(text);
    CHECK(message.starts_with("The body is not valid JSON: there is an error at byte "));
  }
  CHECK(Refusal(std::string("{}\0{}", 5)) ==
        "The body is not valid JSON: there is an error at byte 2.");
}

TEST_CASE("a body is an object") {
  CHECK(std::get<json>(ReadObject(R"({"a": 1})")).dump() == R"({"a":1})");
  for (const char* text : {"[{}]", "1", "null", "\"a\""}) {
    CHECK(std::get<CallError>(ReadObject(text)).status.message() ==
          "The body must be a JSON object.");
  }
  CHECK(std::holds_alternative<CallError>(ReadObject("{")));
}

TEST_CASE("many small objects in a list take linear time") {
  // An earlier version took quadratic time: 100 minutes for 16 MB of these.
  JsonLimits limits;
  limits.max_nodes = 4'000'000;
  CHECK(Refusal("[" + Repeat("{},", 2'000'000) + "{}]", limits).empty());
}

}  // namespace
}  // namespace edgegate
