// The grammar of an answer with calls: it accepts what the form writes, and nothing that the reader
// would take for something else.

#include "engine/text/tools/call_structure.h"

#include <doctest/doctest.h>

#include "engine/text/tools/answer_reader.h"
#include "textkit/textkit.h"

namespace edgegate {
namespace {

constexpr uint32_t kEnd = 256;

// A grammar over single bytes.
class Bytes {
 public:
  explicit Bytes(const std::string& structure) {
    std::vector<std::string> bytes;
    for (int i = 0; i < 256; ++i) bytes.push_back(std::string(1, static_cast<char>(i)));
    std::vector<tk_str> words;
    for (const std::string& byte : bytes) words.push_back({byte.data(), 1});
    words.push_back({});
    tk_bytes error{};
    REQUIRE(tk_grammars_new(words.data(), words.size(), kEnd, &grammars_, &error) == 0);
    const int made =
        tk_matcher_new(grammars_, 4, {structure.data(), structure.size()}, &start_, &error);
    REQUIRE_MESSAGE(made == 0, std::string(error.data, error.size));
  }
  ~Bytes() {
    tk_matcher_free(start_);
    tk_grammars_free(grammars_);
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  // True where the whole text may be an answer.
  bool Accepts(const std::string& text) const {
    tk_matcher* matcher = tk_matcher_clone(start_);
    bool good = true;
    tk_bytes error{};
    for (size_t i = 0; i < text.size() && good; ++i) {
      const auto byte = static_cast<uint8_t>(text[i]);
      good = Allows(matcher, byte) && tk_matcher_accept(matcher, byte, &error) == 0;
    }
    good = good && Allows(matcher, kEnd);
    tk_matcher_free(matcher);
    return good;
  }

 private:
  static bool Allows(tk_matcher* matcher, uint32_t id) {
    tk_ids bits{};
    tk_bytes error{};
    if (tk_matcher_allowed(matcher, &bits, &error) != 0) return false;
    const bool allowed = (bits.data[id / 32] >> (id % 32) & 1) != 0;
    tk_free_ids(bits);
    return allowed;
  }

  tk_grammars* grammars_ = nullptr;
  tk_matcher* start_ = nullptr;
};

CallRules Rules() {
  CallRules rules;
  rules.tools = {{"get",
                  R"({"type": "object", "properties": {"n": {"type": "integer"}},
                      "required": ["n"], "additionalProperties": false})",
                  "tools[0]"},
                 {"get_all", R"({"type": "object", "maxProperties": 0})", "tools[1]"}};
  return rules;
}

std::string Arguments(const CallFormat& format, const char* value) {
  const std::string text(value);
  const MemberTags& tags = format.tags;
  switch (format.style) {
    case ArgumentStyle::kJson:
      return "{\"n\": " + text + "}";
    case ArgumentStyle::kKeywords:
      return "n=" + text;
    case ArgumentStyle::kBare:
      return "n:" + text;
    case ArgumentStyle::kTagged:
      return tags.before_name + "n" + tags.after_name + text + tags.after_value + tags.close;
  }
  return {};
}

std::string Begin(const CallFormat& format) { return format.at_start ? "" : format.mark; }

std::string Call(const CallFormat& format, const char* value) {
  return Begin(format) + format.FirstHead("get") + Arguments(format, value);
}

std::string End(const CallFormat& format) { return format.after_arguments + format.end; }

TEST_CASE("calls are bound to the schema, and text is free") {
  for (const CallFormat& format : CallFormats()) {
    CAPTURE(format.name);
    const std::string nothing = format.style == ArgumentStyle::kJson ? "{}" : format.tags.close;
    const std::string two = Call(format, "-7") + format.NextHead("get_all") + nothing + End(format);
    for (const bool required : {false, true}) {
      CAPTURE(required);
      CallRules rules = Rules();
      rules.required = required;
      const Bytes grammar(CallStructure(format, rules));
      CHECK(grammar.Accepts(Call(format, "17") + End(format)));
      CHECK(grammar.Accepts(two) == format.parallel);
      CHECK_FALSE(grammar.Accepts(Call(format, "\"x\"") + End(format)));
      CHECK_FALSE(grammar.Accepts(Call(format, "17") + End(format) + "more"));
      // Without a mark, the name of no tool is text.
      CHECK(grammar.Accepts(Begin(format) + format.FirstHead("got") + End(format)) ==
            (format.at_start && !required));
      CHECK(grammar.Accepts("") == !required);
      CHECK(grammar.Accepts("Some text, {\"a\": \xc3\xa9}.\n<") == !required);
      // Behind text a call needs a mark. Without one it is text too.
      CHECK(grammar.Accepts("Text " + format.mark + format.FirstHead("get") +
                            Arguments(format, "1") + End(format)) == !required);
      rules.parallel = false;
      CHECK_FALSE(Bytes(CallStructure(format, rules)).Accepts(two));
    }
  }
}

TEST_CASE("thoughts come first") {
  for (const CallFormat& format : CallFormats()) {
    CAPTURE(format.name);
    CallRules rules = Rules();
    rules.reasoning = ReasoningMarks{"<think>", "</think>"};
    rules.required = true;
    const std::string call = Call(format, "1") + End(format);
    const Bytes closed(CallStructure(format, rules));
    CHECK(closed.Accepts(call));
    CHECK(closed.Accepts("<think>\nget\n</think>\n\n" + call));
    CHECK_FALSE(closed.Accepts("<think>\nget"));
    rules.required = false;
    CHECK(Bytes(CallStructure(format, rules)).Accepts("<think>a</think>\n\nb"));
    rules.reasoning_open = true;
    const Bytes open(CallStructure(format, rules));
    CHECK(open.Accepts("a </thin</think>" + call));
    CHECK(open.Accepts("a</think>text"));
  }
}

TEST_CASE("plain members are those whose schema has the type string") {
  CHECK(
      PlainMembers(R"({"properties": {"a": {"type": "string", "enum": ["x"]}, "b": {"enum": ["y"]},
                         "c": {"type": ["string", "null"]}, "d": {"type": "string", "$ref": "#"},
                         "e": true, "f": {"type": "string"}}})") ==
      std::vector<std::string>{"a", "f"});
  CHECK(PlainMembers(R"({"$ref": "#/x", "properties": {"a": {"type": "string"}}})").empty());
  CHECK(PlainMembers("[").empty());
  CallRules rules;
  rules.tools = {{"f",
                  R"({"properties": {"s": {"type": "string"}, "u": {"type": ["string", "null"]}},
                      "required": ["s", "u"], "type": "object"})",
                  "tools[0]"}};
  rules.required = true;
  const CallFormat& format = *FindCallFormat("qwen3_coder");
  const Bytes grammar(CallStructure(format, rules));
  const auto call = [&](const std::string& value) {
    return "<tool_call>\n<function=f>\n<parameter=s>\na \"b\"\nc\n</parameter>\n<parameter=u>\n" +
           value + "\n</parameter>\n</function>\n</tool_call>";
  };
  CHECK(grammar.Accepts(call("null")));
  CHECK(grammar.Accepts(call("\"text\"")));
  CHECK_FALSE(grammar.Accepts(call("text")));
}

TEST_CASE("content may have a schema") {
  CallRules rules = Rules();
  rules.content_schema = R"({"type": "object", "properties": {"x": {"type": "boolean"}},
                             "required": ["x"], "additionalProperties": false})";
  rules.content_field = "response_format";
  for (const CallFormat& format : CallFormats()) {
    if (!ContentIsDistinct(format)) continue;
    const Bytes grammar(CallStructure(format, rules));
    CHECK(grammar.Accepts(R"({"x": true})"));
    CHECK(grammar.Accepts(Call(format, "1") + End(format)));
    CHECK_FALSE(grammar.Accepts("text"));
  }
}

}  // namespace
}  // namespace edgegate
