#include "engine/text/chat_template.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "engine/text/textkit_bridge.h"

namespace edgegate {
namespace {

using nlohmann::json;

// tokenizer_config.json names its special tokens as strings or as {"content": ...}.
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

// A string, or a list of {"name", "template"} of which "default" is meant.
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

class JinjaTemplate : public ChatTemplate {
 public:
  JinjaTemplate(tk_template* handle, const Tokenizer& tokenizer)
      : handle_(handle), tokenizer_(tokenizer) {}

  Result<std::string> Render(const ChatTemplateInput& input) const override {
    EG_ASSIGN_OR_RETURN(Segments segments, RenderSegments(input));
    std::string text;
    for (const std::string& segment : segments.texts) text += segment;
    return text;
  }

  Result<std::vector<int32_t>> Encode(const ChatTemplateInput& input) const override {
    EG_ASSIGN_OR_RETURN(Segments segments, RenderSegments(input));
    return tokenizer_.EncodeSegments(segments.texts, segments.specials);
  }

 private:
  struct Segments {
    std::vector<std::string> texts;
    std::vector<bool> specials;
  };

  Result<Segments> RenderSegments(const ChatTemplateInput& input) const {
    tk_bytes out{};
    tk_bytes error{};
    const int code =
        tk_template_render(handle_.get(), ToTk(input.messages_json), ToTk(input.tools_json),
                           ToTk(input.kwargs_json), input.add_generation_prompt, &out, &error);
    if (code != 0) {
      return Status(code == 2 ? StatusCode::kResourceExhausted : StatusCode::kInvalidArgument,
                    TakeString(error));
    }
    const std::string bytes = TakeString(out);
    Segments segments;
    for (size_t i = 0; i < bytes.size();) {
      uint32_t size;
      std::memcpy(&size, bytes.data() + i + 1, sizeof size);
      segments.specials.push_back(bytes[i] == 'S');
      segments.texts.push_back(bytes.substr(i + 5, size));
      i += 5 + size;
    }
    return segments;
  }

  struct Free {
    void operator()(tk_template* t) const { tk_template_free(t); }
  };
  std::unique_ptr<tk_template, Free> handle_;
  const Tokenizer& tokenizer_;
};

}  // namespace

Result<std::unique_ptr<ChatTemplate>> ChatTemplate::Make(const TokenizerAssets& assets,
                                                         const Tokenizer& tokenizer) {
  json config = json::object();
  if (!assets.tokenizer_config.empty()) {
    config = json::parse(assets.tokenizer_config, nullptr, false);
    if (!config.is_object()) return DataLoss("tokenizer_config.json: not a JSON object");
  }
  const std::string source =
      assets.chat_template.empty() ? TemplateOf(config) : assets.chat_template;
  if (source.empty()) return Unimplemented("the model has no chat template");
  const auto replace = json::error_handler_t::replace;
  const std::string specials = json(tokenizer.special_tokens()).dump(-1, ' ', false, replace);
  const std::string globals = TokenGlobals(config).dump(-1, ' ', false, replace);
  tk_template* handle = nullptr;
  tk_bytes error{};
  if (tk_template_new(ToTk(source), ToTk(specials), ToTk(globals), &handle, &error) != 0) {
    return InvalidArgument("{}", TakeString(error));
  }
  return std::unique_ptr<ChatTemplate>(std::make_unique<JinjaTemplate>(handle, tokenizer));
}

}  // namespace edgegate
