#include "tests/config/settings_documents.h"

#include <fmt/format.h>

#include <sstream>

#include "config/settings.h"

namespace edgegate {
namespace {

constexpr size_t kColumns = 100;

// Returns the text as comment lines of at most kColumns columns.
std::string Comment(const std::string& text) {
  std::string lines, line = "#";
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > kColumns) {
      lines += line + "\n";
      line = "#";
    }
    line += " " + word;
  }
  return lines + line + "\n";
}

}  // namespace

std::string SampleSettings() {
  std::string text =
      "# edgegate's settings, each with its default. Environment variables (EDGEGATE_SERVER_PORT)\n"
      "# override this file, and flags (--server.port) override both. An unknown key is an "
      "error.\n";
  std::string section;
  for (const SettingInfo& info : ListSettings()) {
    const size_t dot = info.key.find('.');
    if (info.key.substr(0, dot) != section) {
      section = info.key.substr(0, dot);
      text += fmt::format("\n[{}]\n", section);
    }
    const bool described = info.values.empty() || info.values == "true, false";
    text += Comment(described ? info.description
                              : fmt::format("{} Values: {}.", info.description, info.values));
    text += fmt::format("{} = {}\n", info.key.substr(dot + 1), info.default_text);
  }
  return text +
         "\n# One table for each model to serve.\n"
         "# [[model]]\n"
         "# name = \"smollm2\"  # name for clients; empty: from the path\n"
         "# path = \"/var/lib/edgegate/SmolLM2-135M-Instruct.Q4_1.gguf\"\n"
         "# mmproj = \"\"       # GGUF file with the vision part\n"
         "# draft = \"\"        # draft model, a small model with the same vocabulary\n"
         "# tool_format = \"\"  # form of tool calls; empty: detected from the chat template\n"
         "# embedding = false # compute embeddings from the last token\n"
         "# decision_temperature = 1.0  # divides the scores of decisions\n";
}

std::string SettingsTable() {
  std::string text = "| setting | meaning | values | default |\n|---|---|---|---|\n";
  for (const SettingInfo& info : ListSettings()) {
    std::string meaning;
    for (char c : info.description) {
      if (c == '*' || c == '|') meaning += '\\';
      meaning += c;
    }
    text += fmt::format("| `{}` | {} | {} | `{}` |\n", info.key, meaning, info.values,
                        info.default_text);
  }
  return text;
}

}  // namespace edgegate
