#include "engine/text/tools/call_format.h"

#include <algorithm>

namespace edgegate {
namespace {

const CallFormat kFormats[] = {
    {
        // LFM2: <|tool_call_start|>[f(a=1), g(b="x")]<|tool_call_end|>
        .name = "lfm2",
        .evidence = {{"<|tool_call_start|>"}, {"<|tool_list_start|>"}},
        .counter = "",
        .mark = "<|tool_call_start|>",
        .at_start = false,
        .begin = "[",
        .before_name = "",
        .before_arguments = "(",
        .after_arguments = ")",
        .between = ", ",
        .end = "]<|tool_call_end|>",
        .style = ArgumentStyle::kKeywords,
        .parallel = true,
    },
    {
        // FunctionGemma: <start_function_call>call:f{a:1,b:<escape>x<escape>}<end_function_call>
        .name = "functiongemma",
        .evidence = {{"<start_function_call>"}},
        .counter = "",
        .mark = "<start_function_call>",
        .at_start = false,
        .begin = "",
        .before_name = "call:",
        .before_arguments = "{",
        .after_arguments = "}",
        .between = "<end_function_call><start_function_call>",
        .end = "<end_function_call>",
        .style = ArgumentStyle::kBare,
        .parallel = true,
        .string_mark = "<escape>",
    },
    {
        // Gemma 4: <|tool_call>call:f{a:1,b:<|"|>x<|"|>}<tool_call|>
        .name = "gemma4",
        .evidence = {{"<|tool_call>"}},
        .counter = "",
        .mark = "<|tool_call>",
        .at_start = false,
        .begin = "",
        .before_name = "call:",
        .before_arguments = "{",
        .after_arguments = "}",
        .between = "<tool_call|><|tool_call>",
        .end = "<tool_call|>",
        .style = ArgumentStyle::kBare,
        .parallel = true,
        .string_mark = R"(<|"|>)",
    },
    {
        // Gemma 3, whose templates show no tools: Python in a fence.
        .name = "gemma3",
        .evidence = {{"<start_of_turn>"}},
        .counter = "",
        .mark = "```tool_code\n",
        .at_start = false,
        .begin = "",
        .before_name = "",
        .before_arguments = "(",
        .after_arguments = ")",
        .between = "\n",
        .end = "\n```",
        .style = ArgumentStyle::kKeywords,
        .parallel = true,
    },
    {
        // Mistral, tokenizers of version 11: [TOOL_CALLS]f[CALL_ID]ID[ARGS]{}. The id is fixed:
        // clients get ids of their own.
        .name = "mistral_v11",
        .evidence = {{"[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"}},
        .counter = "",
        .mark = "[TOOL_CALLS]",
        .at_start = false,
        .begin = "",
        .before_name = "",
        .before_arguments = "[CALL_ID]000000000[ARGS]",
        .after_arguments = "",
        .between = "[TOOL_CALLS]",
        .end = "",
        .style = ArgumentStyle::kJson,
        .parallel = true,
    },
    {
        // Mistral, tokenizers of version 13: [TOOL_CALLS]f[ARGS]{}[TOOL_CALLS]g[ARGS]{}
        .name = "mistral_v13",
        .evidence = {{"[TOOL_CALLS]", "[ARGS]"}},
        .counter = "",
        .mark = "[TOOL_CALLS]",
        .at_start = false,
        .begin = "",
        .before_name = "",
        .before_arguments = "[ARGS]",
        .after_arguments = "",
        .between = "[TOOL_CALLS]",
        .end = "",
        .style = ArgumentStyle::kJson,
        .parallel = true,
    },
    {
        // Mistral, older tokenizers: [TOOL_CALLS][{"name": "f", "arguments": {}}]
        .name = "mistral",
        .evidence = {{"[TOOL_CALLS]"}},
        .counter = "[ARGS]",
        .mark = "[TOOL_CALLS]",
        .at_start = false,
        .begin = "[",
        .before_name = R"({"name": ")",
        .before_arguments = R"(", "arguments": )",
        .after_arguments = "}",
        .between = ", ",
        .end = "]",
        .style = ArgumentStyle::kJson,
        .parallel = true,
    },
    {
        // GLM-4.5: the name on the first line, then keys and values between tags.
        .name = "glm45",
        .evidence = {{"<tool_call>", "<arg_key>"}},
        .counter = "",
        .mark = "<tool_call>",
        .at_start = false,
        .begin = "",
        .before_name = "",
        .before_arguments = "\n",
        .after_arguments = "",
        .between = "\n<tool_call>",
        .end = "",
        .style = ArgumentStyle::kTagged,
        .parallel = true,
        .tags = {.before_name = "<arg_key>",
                 .after_name = "</arg_key>\n<arg_value>",
                 .after_value = "</arg_value>\n",
                 .close = "</tool_call>"},
    },
    {
        // Qwen3-Coder: <function=f>, then values between the tags of their parameters.
        .name = "qwen3_coder",
        .evidence = {{"<tool_call>", "<function="}},
        .counter = "",
        .mark = "<tool_call>",
        .at_start = false,
        .begin = "\n",
        .before_name = "<function=",
        .before_arguments = ">\n",
        .after_arguments = "",
        .between = "\n</tool_call>\n<tool_call>\n",
        .end = "\n</tool_call>",
        .style = ArgumentStyle::kTagged,
        .parallel = true,
        .tags = {.before_name = "<parameter=",
                 .after_name = ">\n",
                 .after_value = "\n</parameter>\n",
                 .close = "</function>"},
    },
    {
        // Hermes and Qwen.
        .name = "hermes",
        .evidence = {{"<tool_call>", "\"arguments"}},
        .counter = "",
        .mark = "<tool_call>",
        .at_start = false,
        .begin = "\n",
        .before_name = R"({"name": ")",
        .before_arguments = R"(", "arguments": )",
        .after_arguments = "}",
        .between = "\n</tool_call>\n<tool_call>\n",
        .end = "\n</tool_call>",
        .style = ArgumentStyle::kJson,
        .parallel = true,
    },
    {
        // Llama 3: the object alone, or after <|python_tag|>.
        .name = "llama3",
        .evidence = {{"<|start_header_id|>", R"("parameters")"}},
        .counter = "",
        .mark = "<|python_tag|>",
        .at_start = true,
        .begin = "",
        .before_name = R"({"name": ")",
        .before_arguments = R"(", "parameters": )",
        .after_arguments = "}",
        .between = "; ",
        .end = "",
        .style = ArgumentStyle::kJson,
        .parallel = true,
    },
    {
        // GLM-4: the name on the first line, then the object.
        .name = "glm4",
        .evidence = {{"<|observation|>"}, {"可用工具"}},
        .counter = "<arg_key>",
        .mark = "",
        .at_start = true,
        .begin = "",
        .before_name = "",
        .before_arguments = "\n",
        .after_arguments = "",
        .between = "",
        .end = "",
        .style = ArgumentStyle::kJson,
        .parallel = false,
    },
    {
        // The object alone.
        .name = "json",
        .evidence = {},
        .counter = "",
        .mark = "",
        .at_start = true,
        .begin = "",
        .before_name = R"({"name": ")",
        .before_arguments = R"(", "arguments": )",
        .after_arguments = "}",
        .between = "\n",
        .end = "",
        .style = ArgumentStyle::kJson,
        .parallel = true,
    },
};

const ReasoningMarks kReasoning[] = {
    {"<think>", "</think>"},
    {"[THINK]", "[/THINK]"},
    {"<seed:think>", "</seed:think>"},
    {"<|START_THINKING|>", "<|END_THINKING|>"},
};

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

bool CallFormat::Contains(std::string_view text) const {
  const std::string* const texts[] = {
      &mark, &begin,       &before_name,      &before_arguments, &after_arguments,  &between,
      &end,  &string_mark, &tags.before_name, &tags.after_name,  &tags.after_value, &tags.close};
  return std::any_of(std::begin(texts), std::end(texts), [&](const std::string* part) {
    return part->find(text) != std::string::npos;
  });
}

std::span<const CallFormat> CallFormats() { return kFormats; }

const CallFormat* FindCallFormat(std::string_view name) {
  for (const CallFormat& format : kFormats) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

const CallFormat* DetectCallFormat(std::string_view chat_template) {
  const auto shows = [&](const std::string& part) { return Contains(chat_template, part); };
  for (const CallFormat& format : kFormats) {
    if (!format.counter.empty() && shows(format.counter)) continue;
    for (const std::vector<std::string>& all : format.evidence) {
      if (std::all_of(all.begin(), all.end(), shows)) return &format;
    }
  }
  return nullptr;
}

const ReasoningMarks* DetectReasoning(std::string_view chat_template) {
  for (const ReasoningMarks& marks : kReasoning) {
    if (Contains(chat_template, marks.end)) return &marks;
  }
  return nullptr;
}

}  // namespace edgegate
