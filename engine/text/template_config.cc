#include "engine/text/template_config.h"

#include <nlohmann/json.hpp>

namespace edgegate {
namespace {

using nlohmann::json;

// Returns the special tokens, which are strings or {"content": ...}.
json TokenGlobals(const json& config) {
  json globals = json::object();
  for (const char* name : {"bos_token", "eos_token", "pad_token", "unk_token"}) {
    const auto found = config.find(name);
    if (found == config.end()) continue;
    if (found->is_string()) globals[name] = *found;
    if (found->is_object() && found->contains("content")) globals[name] = (*found)["content"];
  }
  return globals;
}

// Returns the text of a special token. Empty: there is none.
std::string TokenText(const json& globals, const char* name) {
  const auto found = globals.find(name);
  return found != globals.end() && found->is_string() ? found->get<std::string>() : "";
}

// Returns the template: a string, or the entry "default" of a list of {"name", "template"}.
std::string TemplateOf(const json& config) {
  const auto found = config.find("chat_template");
  if (found == config.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  if (!found->is_array()) return {};
  for (const json& named : *found) {
    if (named.is_object() && named.value("name", json()) == "default" &&
        named.value("template", json()).is_string()) {
      return named["template"].get<std::string>();
    }
  }
  return {};
}

}  // namespace

Result<TemplateConfig> ReadTemplateConfig(const TokenizerAssets& assets) {
  json config = json::object();
  if (!assets.tokenizer_config.empty()) {
    config = json::parse(assets.tokenizer_config, nullptr, false);
    if (!config.is_object())
      return DataLoss("tokenizer_config.json, which names the chat template: not a JSON object");
  }
  const json tokens = TokenGlobals(config);
  return TemplateConfig{assets.chat_template.empty() ? TemplateOf(config) : assets.chat_template,
                        TokenText(tokens, "bos_token"), TokenText(tokens, "eos_token"),
                        tokens.dump(-1, ' ', false, json::error_handler_t::replace)};
}

}  // namespace edgegate
