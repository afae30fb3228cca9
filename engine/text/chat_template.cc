#include "engine/text/chat_template.h"

#include <algorithm>
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
  JinjaTemplate(tk_template* handle, const Tokenizer& tokenizer, const ImagePlaceholder& image)
      : handle_(handle),
        tokenizer_(tokenizer),
        image_rows_(image.rows),
        image_token_(image.token.empty() ? -1 : tokenizer.TokenId(image.token)) {
    wants_parts_ = !Shows("\"edgegate\"") && Shows(R"([{"type": "text", "text": "edgegate"}])");
  }

  Result<std::string> Render(const ChatTemplateInput& input) const override {
    EG_ASSIGN_OR_RETURN(Segments segments, RenderSegments(input));
    std::string text;
    for (const std::string& segment : segments.texts) text += segment;
    return text;
  }

  Result<ChatPrompt> Encode(const ChatTemplateInput& input) const override {
    EG_ASSIGN_OR_RETURN(Segments segments, RenderSegments(input));
    ChatPrompt prompt;
    EG_ASSIGN_OR_RETURN(
        prompt.ids, tokenizer_.EncodeSegments(segments.texts, segments.specials, input.max_tokens));
    if (input.num_images > 0) EG_RETURN_IF_ERROR(PlaceImages(input.num_images, &prompt));
    return prompt;
  }

 private:
  struct Segments {
    std::vector<std::string> texts;
    std::vector<bool> specials;
  };

  // Whether a message with this content, JSON, comes out as its text alone.
  bool Shows(const char* content) const {
    ChatTemplateInput input;
    input.messages_json = fmt::format(R"([{{"role": "user", "content": {}}}])", content);
    const auto text = Render(input);
    return text.ok() && text->find("edgegate") != std::string::npos &&
           text->find("type") == std::string::npos;
  }

  // Every string content as a list of one part.
  static std::string AsParts(const std::string& messages_json) {
    json messages = json::parse(messages_json, nullptr, false);
    for (json& message : messages) {
      if (!message.is_object() || !message.contains("content")) continue;
      json& content = message["content"];
      if (content.is_string()) {
        content = json::array({{{"type", "text"}, {"text", std::move(content)}}});
      }
    }
    return messages.dump(-1, ' ', false, json::error_handler_t::replace);
  }

  // Image tokens can only be the template's own: those in what users send stay plain text.
  Status PlaceImages(int count, ChatPrompt* prompt) const {
    const auto& ids = prompt->ids;
    const auto written = static_cast<int>(std::count(ids.begin(), ids.end(), image_token_));
    if (written < count || written % count != 0) {
      return InvalidArgument("the model's chat template writes {} image tokens for {} pictures",
                             written, count);
    }
    const int each = written / count;
    std::vector<int32_t> placed;
    for (size_t i = 0; i < ids.size();) {
      if (ids[i] != image_token_) {
        placed.push_back(ids[i++]);
        continue;
      }
      prompt->image_positions.push_back(static_cast<int>(placed.size()));
      placed.insert(placed.end(), static_cast<size_t>(image_rows_), image_token_);
      for (int n = 0; n < each; ++n, ++i) {
        if (i == ids.size() || ids[i] != image_token_) {
          return InvalidArgument("the model's chat template tears a picture's tokens apart");
        }
      }
    }
    prompt->ids = std::move(placed);
    return {};
  }

  Result<Segments> RenderSegments(const ChatTemplateInput& input) const {
    tk_bytes out{};
    tk_bytes error{};
    const std::string messages = wants_parts_ ? AsParts(input.messages_json) : input.messages_json;
    const int code =
        tk_template_render(handle_.get(), ToTk(messages), ToTk(input.tools_json),
                           ToTk(input.kwargs_json), input.add_generation_prompt, &out, &error);
    if (code != 0) {
      return InvalidArgument("{}", TakeString(error));
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
  const int image_rows_;
  const int32_t image_token_;
  bool wants_parts_ = false;  // contents must be lists: a string comes out as nothing
};

}  // namespace

Result<std::unique_ptr<ChatTemplate>> ChatTemplate::Make(const TokenizerAssets& assets,
                                                         const Tokenizer& tokenizer,
                                                         const ImagePlaceholder& image) {
  json config = json::object();
  if (!assets.tokenizer_config.empty()) {
    config = json::parse(assets.tokenizer_config, nullptr, false);
    if (!config.is_object())
      return DataLoss("tokenizer_config.json, which names the chat template: not a JSON object");
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
  return std::unique_ptr<ChatTemplate>(std::make_unique<JinjaTemplate>(handle, tokenizer, image));
}

}  // namespace edgegate
