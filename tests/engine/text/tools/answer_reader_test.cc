// Splits answers of every form, at every place, and compares with the whole text.

#include "engine/text/tools/answer_reader.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace edgegate {
namespace {

using Kind = AnswerPart::Kind;
using Parts = std::vector<AnswerPart>;

// The tools of the tests. One name is the beginning of another.
const std::vector<std::string> kTools = {"get", "get_all", "a.b-c"};

AnswerSyntax Syntax(const CallFormat* format) {
  AnswerSyntax syntax;
  syntax.reasoning = ReasoningMarks{"<think>", "</think>"};
  syntax.calls = format;
  syntax.tools = kTools;
  syntax.plain = {{"x"}, {"x"}, {"x"}};
  return syntax;
}

// Reads `text` in pieces that end at `cuts`.
Parts Read(const AnswerSyntax& syntax, std::string_view text, const std::vector<size_t>& cuts) {
  AnswerReader reader(syntax);
  Parts parts;
  size_t from = 0;
  for (size_t cut : cuts) {
    reader.Push(text.substr(from, cut - from), &parts);
    from = cut;
  }
  reader.Push(text.substr(from), &parts);
  reader.Finish(&parts);
  return parts;
}

// Reads the text whole, at every cut, and byte by byte.
Parts ReadEveryWay(const AnswerSyntax& syntax, const std::string& text) {
  CAPTURE(text);
  const Parts whole = Read(syntax, text, {});
  std::vector<size_t> all;
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    CAPTURE(cut);
    CHECK(Read(syntax, text, {cut}) == whole);
    all.push_back(cut);
  }
  CHECK(Read(syntax, text, all) == whole);
  return whole;
}

// The arguments in the format's own style, and as JSON.
struct Sample {
  std::string written;
  std::string json;
};

Sample SampleOf(const CallFormat& format) {
  const std::string json = R"({"x": "é </tool_call> ) \"} , y=1", "list": [1, {"z": "]"}]})";
  const std::string plain = R"(é </tool_call> ) "} , y=1)";
  const std::string& mark = format.string_mark;
  const MemberTags& tags = format.tags;
  switch (format.style) {
    case ArgumentStyle::kJson:
      return {json, json};
    case ArgumentStyle::kKeywords:
      return {R"(x="é </tool_call> ) \"} , y=1", list=[1, {"z": "]"}])", json};
    case ArgumentStyle::kBare:
      return {"x:" + mark + plain + mark + ",list:[1,{z:" + mark + "]" + mark + "}]", json};
    case ArgumentStyle::kTagged:
      return {tags.before_name + "x" + tags.after_name + plain + tags.after_value +
                  tags.before_name + "list" + tags.after_name + R"([1, {"z": "]"}])" +
                  tags.after_value + tags.close,
              json};
  }
  return {};
}

// No arguments, in the format's own style.
std::string Nothing(const CallFormat& format) {
  return format.style == ArgumentStyle::kJson ? "{}" : format.tags.close;
}

std::string Mark(const CallFormat& format) { return format.at_start ? "" : format.mark; }

TEST_CASE("every form is read, however it is cut") {
  for (const CallFormat& format : CallFormats()) {
    CAPTURE(format.name);
    const Sample sample = SampleOf(format);
    const std::string call = Mark(format) + format.FirstHead("get_all") + sample.written;
    const Parts one = {
        {Kind::kCallBegin, "get_all"}, {Kind::kArguments, sample.json}, {Kind::kCallEnd, ""}};
    CHECK(ReadEveryWay(Syntax(&format), call + format.after_arguments + format.end) == one);
    // Behind thoughts.
    Parts thought = one;
    thought.insert(thought.begin(), {Kind::kReasoning, "so <tool_call>"});
    CHECK(ReadEveryWay(Syntax(&format), "<think>\nso <tool_call>\n</think>\n\n" + call +
                                            format.after_arguments + format.end) == thought);
    if (format.parallel) {
      Parts two = one;
      two.insert(two.end(),
                 {{Kind::kCallBegin, "get"}, {Kind::kArguments, "{}"}, {Kind::kCallEnd, ""}});
      CHECK(ReadEveryWay(Syntax(&format), call + format.NextHead("get") + Nothing(format) +
                                              format.after_arguments + format.end) == two);
    }
    if (!format.mark.empty()) {
      Parts after_text = one;
      after_text.insert(after_text.begin(), {Kind::kContent, "Let me see <tool"});
      CHECK(ReadEveryWay(Syntax(&format), "Let me see <tool" + format.mark +
                                              format.FirstHead("get_all") + sample.written +
                                              format.after_arguments + format.end) == after_text);
    }
  }
}

TEST_CASE("text that is no call is content") {
  for (const CallFormat& format : CallFormats()) {
    for (const std::string text :
         {"get it", "{\"name\": \"Bob\"}", "  plain", "<", "a <tool_ca", "x<think>y</think>"}) {
      CHECK(ReadEveryWay(Syntax(&format), text) == Parts{{Kind::kContent, text}});
    }
    if (format.mark.empty()) continue;
    const std::string unknown = "a " + format.mark + "unknown(";
    CHECK(ReadEveryWay(Syntax(&format), unknown) == Parts{{Kind::kContent, unknown}});
  }
}

TEST_CASE("the beginning of a call is dropped, and what stands behind one") {
  const CallFormat& hermes = *FindCallFormat("hermes");
  CHECK(ReadEveryWay(Syntax(&hermes), "a<tool_call>\n{\"name\": \"ge") ==
        Parts{{Kind::kContent, "a"}});
  AnswerSyntax only = Syntax(&hermes);
  only.only_calls = true;
  CHECK(ReadEveryWay(only, "<tool_c").empty());
  CHECK(ReadEveryWay(Syntax(&hermes), "<tool_call>\n{\"name\": \"get\", \"arguments\": {\"a\": ") ==
        Parts{{Kind::kCallBegin, "get"}, {Kind::kArguments, "{\"a\": "}});
  CHECK(ReadEveryWay(Syntax(&hermes),
                     "<tool_call>\n{\"name\": \"get\", \"arguments\": {}}\n</tool_call>\nmore") ==
        Parts{{Kind::kCallBegin, "get"}, {Kind::kArguments, "{}"}, {Kind::kCallEnd, ""}});
}

TEST_CASE("texts between tags and marks become strings of JSON") {
  const auto arguments = [](const char* form, const std::string& text) {
    const CallFormat& format = *FindCallFormat(form);
    const Parts parts = ReadEveryWay(
        Syntax(&format), format.mark + format.FirstHead("get") + text + format.after_arguments);
    return parts.size() == 3 ? parts[1].text : "";
  };
  CHECK(arguments(
            "qwen3_coder",
            "<parameter=x>\nif a < \"b\\\":\n\n</parameter>\n<parameter=n>\n-1.5\n</parameter>\n"
            "</function>") == R"({"x": "if a < \"b\\\":\n", "n": -1.5})");
  CHECK(arguments("qwen3_coder", "<parameter=x>\n\n</parameter>\n</function>") == R"({"x": ""})");
  CHECK(
      arguments("glm45",
                "<arg_key>x</arg_key>\n<arg_value>17\t</arg_val</arg_value>\n<arg_key>o</arg_key>\n"
                "<arg_value>{\"a\": \"</arg_value>\"}</arg_value>\n</tool_call>") ==
      R"({"x": "17\t</arg_val", "o": {"a": "</arg_value>"}})");
  CHECK(arguments("functiongemma",
                  "x:<escape><escape>,o:{},l:[],d:{a:[<escape>\x01<escape>,null]}") ==
        R"({"x": "", "o": {}, "l": [], "d": {"a": ["\u0001", null]}})");
  CHECK(arguments("gemma4", "x:<|\"|><|\"<|\"|>,n:2") == R"({"x": "<|\"", "n": 2})");
}

TEST_CASE("thoughts are read, open ones too") {
  AnswerSyntax syntax = Syntax(nullptr);
  CHECK(ReadEveryWay(syntax, " <think> a\n b \n</think>\n\n c ") ==
        Parts{{Kind::kReasoning, "a\n b"}, {Kind::kContent, "c "}});
  CHECK(ReadEveryWay(syntax, "<think></think>x") == Parts{{Kind::kContent, "x"}});
  CHECK(ReadEveryWay(syntax, "<think>never ends </thi") ==
        Parts{{Kind::kReasoning, "never ends </thi"}});
  CHECK(ReadEveryWay(syntax, "x <think>") == Parts{{Kind::kContent, "x <think>"}});
  syntax.reasoning_open = true;
  CHECK(ReadEveryWay(syntax, "a</think>b") ==
        Parts{{Kind::kReasoning, "a"}, {Kind::kContent, "b"}});
}

TEST_CASE("random texts of marks are the same however they are cut") {
  std::mt19937 random(7);
  const auto pick = [&](size_t below) { return static_cast<size_t>(random() % below); };
  for (int round = 0; round < 3000; ++round) {
    const CallFormat& format = CallFormats()[pick(CallFormats().size())];
    const std::vector<std::string> pieces = {format.mark,
                                             format.begin,
                                             format.FirstHead("get"),
                                             format.NextHead("get_all"),
                                             "get",
                                             format.before_arguments,
                                             format.after_arguments,
                                             format.end,
                                             "<think>",
                                             "</think>",
                                             "{\"a\": \"}\"}",
                                             " ",
                                             "\n",
                                             "a=1, b=\"x\"",
                                             "a:1,b:" + format.string_mark,
                                             format.tags.before_name + "x",
                                             format.tags.after_name,
                                             format.tags.after_value,
                                             format.tags.close,
                                             "text \xc3\xa9",
                                             "{}"};
    std::string text;
    for (size_t n = pick(8); n > 0; --n) {
      const std::string& piece = pieces[pick(pieces.size())];
      text += piece.substr(0, pick(4) == 0 ? pick(piece.size() + 1) : piece.size());
    }
    AnswerSyntax syntax = Syntax(&format);
    syntax.reasoning_open = pick(4) == 0;
    syntax.only_calls = pick(4) == 0;
    ReadEveryWay(syntax, text);
  }
}

TEST_CASE("templates show their forms") {
  const auto name = [](const char* text) {
    const CallFormat* format = DetectCallFormat(text);
    return std::string(format == nullptr ? "" : format->name);
  };
  CHECK(name("<tool_call>\n{\"name\": <function-name>, \"arguments\": <args>}") == "hermes");
  CHECK(name("<|start_header_id|> \"parameters\": ") == "llama3");
  CHECK(name("[TOOL_CALLS]") == "mistral");
  CHECK(name("'[TOOL_CALLS]' + name + '[CALL_ID]' + id + '[ARGS]'") == "mistral_v11");
  CHECK(name("'[TOOL_CALLS]' + name + '[ARGS]'") == "mistral_v13");
  CHECK(name("<tool_call>\n<function=f> \"arguments tool_call.arguments|items") == "qwen3_coder");
  CHECK(name("<|observation|> <tool_call>f\n<arg_key>") == "glm45");
  CHECK(name("<start_of_turn> '<start_function_call>call:' + name") == "functiongemma");
  CHECK(name("<|turn> '<|tool_call>call:' + name") == "gemma4");
  CHECK(name("<start_of_turn>model\n") == "gemma3");
  CHECK(name("<|tool_call_start|>[") == "lfm2");
  CHECK(name("<|observation|>\n") == "glm4");
  CHECK(name("<|tool_list_start|>[") == "lfm2");
  CHECK(name("<|im_start|>") == "");
  // Another form, which looks like one of these.
  CHECK(name("<seed:tool_call>\n<function=f>") == "");
  CHECK(DetectReasoning("split('</think>')")->begin == "<think>");
  CHECK(DetectReasoning("<|im_start|>") == nullptr);
}

}  // namespace
}  // namespace edgegate
