// Integers in requests.
#include "server/api/json/fields.h"

#include <doctest/doctest.h>

#include <limits>

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

TEST_CASE("2.0 is the integer 2, as in JSON Schema") {
  CHECK(IntegerOf(json::parse("2.0")) == 2);
  CHECK(IntegerOf(json::parse("-0.0")) == 0);
  CHECK(IntegerOf(json::parse("1e3")) == 1000);
  CHECK(IntegerOf(json::parse("-9223372036854775808")) == INT64_MIN);
  CHECK(IntegerOf(json::parse("-9.223372036854775808e18")) == INT64_MIN);
  for (const char* other :
       {"2.5", "9223372036854775808", "9.3e18", "-1e300", "\"2\"", "true", "null", "[2]"}) {
    CAPTURE(other);
    CHECK_FALSE(IntegerOf(json::parse(other)));
  }
  CHECK_FALSE(IntegerOf(json(std::numeric_limits<double>::infinity())));
  CHECK_FALSE(IntegerOf(json(std::numeric_limits<double>::quiet_NaN())));
}

TEST_CASE("an integer has a type and a range") {
  const auto read = [](const char* text) {
    const json object = {{"n", json::parse(text)}};
    Fields fields(object);
    const auto value = fields.Int("n", 1, 16);
    if (value) return std::to_string(*value);
    return fields.error() ? fields.error()->status.message() : std::string("absent");
  };
  CHECK(read("2") == "2");
  CHECK(read("2.0") == "2");
  CHECK(read("null") == "absent");
  CHECK(read("2.5").find("expected an integer") != std::string::npos);
  CHECK(read("\"2\"").find("expected an integer") != std::string::npos);
  for (const char* outside : {"0", "17", "17.0", "1e300", "-1e300", "18446744073709551615"}) {
    CAPTURE(outside);
    CHECK(read(outside).find("out of range") != std::string::npos);
  }
}

}  // namespace
}  // namespace edgegate
