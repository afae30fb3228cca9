// Tools, calls and results as text, for templates that do not render them.

#include "engine/text/tools/tool_text.h"

#include <doctest/doctest.h>

namespace edgegate {
namespace {

const ChatPart kImage{ChatPart::Kind::kImage, ""};

ChatPart Text(const char* text) { return {ChatPart::Kind::kText, text}; }

// Writes each message on a line.
std::string Shown(const Conversation& conversation) {
  std::string out;
  for (const ChatMessage& message : conversation.messages) {
    out += message.role + ":";
    for (const ChatPart& part : message.parts) {
      out += part.kind == ChatPart::Kind::kImage ? "<image>" : part.text;
    }
    out += "|";
  }
  return out;
}

Conversation Sample(const char* after) {
  Conversation conversation;
  conversation.messages = {{"user", {Text("q"), kImage}}, {"assistant", {Text("")}}};
  conversation.messages[1].calls = {
      {"c1", "f", R"({"s": "x\ny", "n": [1, "z"], "o": {"k": null}})"}};
  conversation.messages.push_back({"tool", {Text("a"), kImage}, {}, "f", "c1"});
  conversation.messages.push_back({"tool", {kImage, Text("b"), kImage}, {}, "f", "c2"});
  if (after != nullptr) conversation.messages.push_back({after, {Text("next")}});
  return conversation;
}

std::string Written(const char* after, const TemplateAbilities& abilities,
                    const char* form = "hermes") {
  const Conversation sample = Sample(after);
  const Conversation written = WriteToolsAsText(sample, *FindCallFormat(form), abilities);
  CHECK(written.num_images() == sample.num_images());
  return Shown(written);
}

TEST_CASE("images of results stay, or come in a message of the user behind the results") {
  const TemplateAbilities all{true, true, true, false, true};
  CHECK(Written("user", all) ==
        "user:q<image>|assistant:|tool:a<image>|tool:<image>b<image>|user:next|");
  const TemplateAbilities no_images{true, true, true, false, false};
  CHECK(Written("user", no_images) ==
        "user:q<image>|assistant:|tool:a|tool:b|user:<image><image><image>next|");
  CHECK(Written("assistant", no_images) ==
        "user:q<image>|assistant:|tool:a|tool:b|user:<image><image><image>|assistant:next|");
  CHECK(Written(nullptr, no_images) ==
        "user:q<image>|assistant:|tool:a|tool:b|user:<image><image><image>|");
}

TEST_CASE("results that are written as text keep their images") {
  const std::string call =
      "user:q<image>|assistant:f\n{\"s\": \"x\\ny\", \"n\": [1, \"z\"], \"o\": {\"k\": null}}|";
  const TemplateAbilities nothing{};
  CHECK(Written(nullptr, nothing, "glm4") ==
        call +
            "user:<tool_response>\na<image>\n</tool_response>\n<tool_response>\n<image>b<image>\n"
            "</tool_response>|");
  const TemplateAbilities observation{.observation = true};
  CHECK(Written(nullptr, observation, "glm4") ==
        call + "observation:a|observation:b|user:<image><image><image>|");
  const TemplateAbilities shown{.observation = true, .result_images = true};
  CHECK(Written(nullptr, shown, "glm4") ==
        call + "observation:a<image>|observation:<image>b<image>|");
}

TEST_CASE("calls are written in the style of their form") {
  const auto call = [](const char* form) {
    Conversation conversation;
    conversation.messages = {{"assistant", {Text("")}}};
    conversation.messages[0].calls = Sample(nullptr).messages[1].calls;
    return WriteToolsAsText(conversation, *FindCallFormat(form), {}).messages[0].parts[0].text;
  };
  CHECK(call("gemma3") == "```tool_code\nf(s=\"x\\ny\", n=[1,\"z\"], o={\"k\":null})\n```");
  CHECK(call("functiongemma") ==
        "<start_function_call>call:f{s:<escape>x\ny<escape>,n:[1,<escape>z<escape>],o:{k:null}}"
        "<end_function_call>");
  CHECK(call("qwen3_coder") ==
        "<tool_call>\n<function=f>\n<parameter=s>\nx\ny\n</parameter>\n<parameter=n>\n[1,\"z\"]\n"
        "</parameter>\n<parameter=o>\n{\"k\":null}\n</parameter>\n</function>\n</tool_call>");
  CHECK(call("glm45") ==
        "<tool_call>f\n<arg_key>s</arg_key>\n<arg_value>x\ny</arg_value>\n<arg_key>n</arg_key>\n"
        "<arg_value>[1,\"z\"]</arg_value>\n<arg_key>o</arg_key>\n<arg_value>{\"k\":null}</"
        "arg_value>\n"
        "</tool_call>");
  CHECK(call("mistral_v11").starts_with("[TOOL_CALLS]f[CALL_ID]000000000[ARGS]{\"s\""));
}

TEST_CASE("the system text shows the form") {
  const auto text = [](const char* form) {
    Conversation conversation;
    conversation.messages = {{"user", {Text("q")}}};
    conversation.tools = {{"f", "", R"({"type": "object"})"}};
    const TemplateAbilities system{.system = true};
    return Shown(WriteToolsAsText(conversation, *FindCallFormat(form), system));
  };
  CHECK(text("qwen3_coder")
            .find("<function=NAME>\n<parameter=PARAMETER>\nVALUE\n</parameter>\n"
                  "</function>\n</tool_call>|") != std::string::npos);
  CHECK(text("functiongemma").find("call:NAME{PARAMETER:VALUE}<end") != std::string::npos);
}

}  // namespace
}  // namespace edgegate
