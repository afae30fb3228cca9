// Compiles JSON schemas. Half of them are any bytes, and half are made by a generator of keywords.

#include <array>
#include <cstdint>
#include <string>

#include "tests/fuzz/byte_source.h"
#include "tests/fuzz/grammar_walk.h"

namespace {

using edgegate::ByteSource;
using Words = std::string_view;

constexpr size_t kMaxBytes = 4096;
constexpr std::array<Words, 8> kNumbers{"0", "1", "2", "7", "100", "-3", "2.5", "1e2"};
constexpr std::array<Words, 8> kNames{"a", "b", "ab", "\\n", "\\u00e9", "", "a.b", "$ref"};
constexpr std::array<Words, 8> kPatterns{"^a+$", "[a-c]{2,5}", "(a|b)*", "^\\\\d+$",
                                         ".",    "^$",         "a?b?c?", "\\\\p{L}"};
constexpr std::array<Words, 8> kFormats{"date", "time", "date-time", "uuid",
                                        "ipv4", "ipv6", "email",     "none"};
constexpr std::array<Words, 8> kTypes{
    "\"string\"", "\"integer\"", "\"number\"", "\"object\"",
    "\"array\"",  "\"boolean\"", "\"null\"",   "[\"string\",\"null\"]"};
constexpr std::array<Words, 6> kReferences{"#",          "#/$defs/a", "#/$defs/b",
                                           "#/$defs/ab", "#/none",    "#/properties/a"};
constexpr std::array<Words, 7> kValues{"1", "\"x\"", "null", "true", "[1,2]", "{\"a\":1}", "1.5"};
constexpr std::array<Words, 13> kNumeric{
    "minimum",       "maximum",     "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength",     "maxLength",   "minItems",         "maxItems",         "minProperties",
    "maxProperties", "minContains", "maxContains"};
constexpr std::array<Words, 5> kLists{"anyOf", "oneOf", "allOf", "prefixItems", "enum"};
constexpr std::array<Words, 9> kSingles{
    "items",         "additionalProperties", "not", "contains", "if", "then", "else",
    "propertyNames", "unevaluatedProperties"};
constexpr std::array<Words, 4> kMaps{"properties", "patternProperties", "$defs",
                                     "dependentSchemas"};

std::string Quoted(Words text) { return "\"" + std::string(text) + "\""; }

std::string Schema(ByteSource& source, int depth);

// Returns one keyword with its value.
std::string Keyword(ByteSource& source, int depth) {
  const int kind = source.Pick(depth > 0 ? 11 : 7);
  const auto list = [&](auto&& item) {
    std::string text = "[";
    for (int i = source.Pick(3); i >= 0; --i) text += item() + (i > 0 ? "," : "");
    return text + "]";
  };
  switch (kind) {
    case 0:
      return "\"type\":" + std::string(source.Word(kTypes));
    case 1:
      return Quoted(source.Word(kNumeric)) + ":" + std::string(source.Word(kNumbers));
    case 2:
      return "\"pattern\":" + Quoted(source.Word(kPatterns));
    case 3:
      return "\"format\":" + Quoted(source.Word(kFormats));
    case 4:
      return "\"const\":" + std::string(source.Word(kValues));
    case 5:
      return "\"enum\":" + list([&] { return std::string(source.Word(kValues)); });
    case 6:
      return "\"required\":" + list([&] { return Quoted(source.Word(kNames)); });
    case 7:
      return "\"$ref\":" + Quoted(source.Word(kReferences));
    case 8:
      return Quoted(source.Word(kLists)) + ":" + list([&] { return Schema(source, depth - 1); });
    case 9:
      return Quoted(source.Word(kSingles)) + ":" + Schema(source, depth - 1);
    default:
      break;
  }
  std::string text = Quoted(source.Word(kMaps)) + ":{";
  for (int i = source.Pick(3); i >= 0; --i) {
    text += Quoted(source.Word(kNames)) + ":" + Schema(source, depth - 1) + (i > 0 ? "," : "");
  }
  return text + "}";
}

std::string Schema(ByteSource& source, int depth) {
  if (source.Chance(5)) return source.Chance(50) ? "true" : "false";
  std::string text = "{";
  for (int i = source.Pick(4); i >= 0; --i) text += Keyword(source, depth) + (i > 0 ? "," : "");
  return text + "}";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgegate;
  if (size > kMaxBytes) return 0;
  ByteSource source(data, size);
  const bool generated = source.Chance(50) || size < 2;
  const std::string text = generated ? Schema(source, 4) : ShortNumbers(source.Rest(), 3);
  WalkGrammar(kSchemaKind, text, source);
  return 0;
}
