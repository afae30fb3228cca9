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
        // Mistral: [TOOL_CALLS][{"name": "f", "arguments": {}}]
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
