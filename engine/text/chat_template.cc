#include "engine/text/chat_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/text/template_config.h"
#include "engine/text/textkit_bridge.h"
#include "engine/text/tools/tool_text.h"

namespace edgegate {
namespace {

using nlohmann::json;

constexpr const char* kProbe = "edgegate_probe";
// The mark after the text of a last message that the answer continues.
constexpr std::string_view kOpenEnd = "edgegate_open_end";

std::vector<ChatPart> TextParts(const char* text) { return {{ChatPart::Kind::kText, text}}; }

std::vector<ChatPart> ImageParts() { return {{ChatPart::Kind::kImage, ""}}; }

// Returns the form of the calls of a model. A template that does not show tools gets the form of
// GLM-4 if it has the role of GLM-4's results, else the form of Hermes, which most models know.
// Null: the form is not known.
const CallFormat* FormatOf(const std::string& source, const std::string& name,
                           const TemplateAbilities& abilities) {
  if (!name.empty()) return FindCallFormat(name);
  const CallFormat* format = DetectCallFormat(source);
  if (format != nullptr || abilities.tools) return format;
  return FindCallFormat(abilities.observation ? "glm4" : "hermes");
}

class JinjaTemplate : public ChatTemplate {
 public:
  JinjaTemplate(tk_template* handle, const Tokenizer& tokenizer, const std::string& image_token,
                TemplateFacts facts)
      : handle_(handle),
        tokenizer_(tokenizer),
        image_name_(image_token),
        image_token_(image_token.empty() ? -1 : tokenizer.TokenId(image_token)),
        facts_(std::move(facts)) {
    wants_list_ = !ShowsText(false) && ShowsText(true);
  }

  const AnswerTraits& traits() const override { return traits_; }
  const TemplateFacts& facts() const override { return facts_; }

  // Detects what the template renders. False: there is no such form of calls.
  bool Probe(const std::string& call_format) {
    const std::string& source = facts_.source;
    const ChatMessage user{"user", TextParts("question")};
    Conversation tools;
    tools.messages = {user};
    tools.tools = {{kProbe, "text", R"({"type": "object", "properties": {}})"}};
    abilities_.tools = Shows(tools);
    abilities_.calls = ShowsCalls(tools);
    abilities_.result_images = ShowsResultImages(tools);
    abilities_.system = ShowsRole({{"system", TextParts(kProbe)}, user});
    const bool special = tokenizer_.IsSpecial(tokenizer_.TokenId("<|observation|>"));
    abilities_.observation =
        special &&
        ShowsRole({user, {"assistant", TextParts("x")}, {"observation", TextParts(kProbe)}});
    if (!abilities_.calls) {
      abilities_.result_images =
          abilities_.observation &&
          ShowsImage({user, {"assistant", TextParts("x")}, {"observation", ImageParts()}});
    }
    traits_.calls = FormatOf(source, call_format, abilities_);
    traits_.calls_shown = abilities_.tools;
    if (const ReasoningMarks* marks = DetectReasoning(source)) traits_.reasoning = *marks;
    FindMarks();
    return traits_.calls != nullptr || call_format.empty();
  }

  Result<std::string> Render(const Conversation& conversation) const override {
    EG_ASSIGN_OR_RETURN(Segments segments, RenderPrompt(conversation));
    std::string text;
    for (const std::string& segment : segments.texts) text += segment;
    return text;
  }

  Result<ChatPrompt> Encode(const Conversation& conversation, int64_t max_tokens,
                            std::span<const int> image_rows) const override {
    if (std::ssize(image_rows) != conversation.num_images()) {
      return Internal("rows of {} images for {}", image_rows.size(), conversation.num_images());
    }
    EG_ASSIGN_OR_RETURN(Segments segments, RenderPrompt(conversation));
    ChatPrompt prompt;
    prompt.reasoning_open =
        (conversation.add_generation_prompt || conversation.continue_final_message) &&
        OpensReasoning(segments);
    EG_ASSIGN_OR_RETURN(prompt.ids,
                        tokenizer_.EncodeSegments(segments.texts, segments.specials, max_tokens));
    if (!image_rows.empty()) EG_RETURN_IF_ERROR(PlaceImages(image_rows, &prompt));
    return prompt;
  }

  Result<SplitPrompt> EncodeSplit(const Conversation& conversation, std::string_view mark,
                                  int64_t max_tokens,
                                  std::span<const int> image_rows) const override {
    EG_ASSIGN_OR_RETURN(Segments all, RenderAll(conversation));
    SplitPrompt split;
    Segments before;
    int marks = 0;
    for (size_t i = 0; i < all.texts.size(); ++i) {
      const size_t at = all.specials[i] ? std::string::npos : all.texts[i].find(mark);
      Segments* const to = marks == 0 ? &before : nullptr;
      if (at == std::string::npos) {
        (to ? to->texts : split.after).push_back(all.texts[i]);
        (to ? to->specials : split.specials).push_back(all.specials[i]);
        continue;
      }
      const std::string rest = all.texts[i].substr(at + mark.size());
      marks += rest.find(mark) == std::string::npos ? 1 : 2;
      before.texts.push_back(all.texts[i].substr(0, at));
      before.specials.push_back(false);
      split.after.push_back(rest);
      split.specials.push_back(false);
    }
    if (marks != 1) {
      return InvalidArgument("the model's chat template writes the last message {} times", marks);
    }
    if (OpensReasoning(all)) CloseReasoning(&split);
    EG_ASSIGN_OR_RETURN(split.before.ids,
                        tokenizer_.EncodeSegments(before.texts, before.specials, max_tokens));
    if (!image_rows.empty()) EG_RETURN_IF_ERROR(PlaceImages(image_rows, &split.before));
    return split;
  }

 private:
  struct Segments {
    std::vector<std::string> texts;
    std::vector<bool> specials;
  };

  void CloseReasoning(SplitPrompt* split) const {
    const std::string& end = traits_.reasoning->end;
    const bool special = tokenizer_.IsSpecial(tokenizer_.TokenId(end));
    split->after.insert(split->after.end(), {"\n", end, "\n\n"});
    split->specials.insert(split->specials.end(), {false, special, false});
  }

  bool Shows(const Conversation& conversation) const {
    const auto segments = RenderSegments(conversation, wants_list_);
    if (!segments.ok()) return false;
    std::string text;
    for (const std::string& segment : segments->texts) text += segment;
    return text.find(kProbe) != std::string::npos;
  }

  bool ShowsRole(std::vector<ChatMessage> messages) const {
    Conversation conversation;
    conversation.messages = std::move(messages);
    return Shows(conversation);
  }

  // True if the template renders a call's arguments and its result. Most templates take arguments
  // as an object, and some as the text of one.
  bool ShowsCalls(Conversation conversation) {
    if (!abilities_.tools) return false;
    conversation.tools[0].name = "f";
    ChatMessage call{"assistant", TextParts("")};
    call.calls = {{"call12345", "f", fmt::format(R"({{"{}": 1}})", kProbe)}};
    conversation.messages.push_back(call);
    arguments_as_text_ = !Shows(conversation);
    if (arguments_as_text_ && !Shows(conversation)) return false;
    conversation.messages.back().calls[0].arguments = "{}";
    conversation.messages.push_back({"tool", TextParts(kProbe), {}, "f", "call12345"});
    return Shows(conversation);
  }

  // True if the template writes the image token for an image.
  bool ShowsImage(std::vector<ChatMessage> messages, std::vector<ChatTool> tools = {}) const {
    if (image_token_ < 0) return false;
    Conversation conversation;
    conversation.messages = std::move(messages);
    conversation.tools = std::move(tools);
    const auto segments = RenderSegments(conversation, wants_list_);
    if (!segments.ok()) return false;
    for (size_t i = 0; i < segments->texts.size(); ++i) {
      if (segments->specials[i] && segments->texts[i] == image_name_) return true;
    }
    return false;
  }

  bool ShowsResultImages(const Conversation& tools) const {
    if (!abilities_.calls) return false;
    ChatMessage call{"assistant", TextParts("")};
    call.calls = {{"call12345", kProbe, "{}"}};
    const ChatMessage result{"tool", ImageParts(), {}, kProbe, "call12345"};
    return ShowsImage({tools.messages[0], call, result}, tools.tools);
  }

  void FindMarks() {
    std::vector<std::string> marks;
    if (traits_.reasoning) marks = {traits_.reasoning->begin, traits_.reasoning->end};
    for (const std::string& special : tokenizer_.special_tokens()) {
      const CallFormat* calls = traits_.calls;
      if (calls == nullptr || special.empty()) continue;
      if (calls->Contains(special)) marks.push_back(special);
    }
    if (traits_.reasoning) {
      const auto ids =
          tokenizer_.Encode(traits_.reasoning->end, Tokenizer::Specials::kParse, false);
      if (ids.ok()) traits_.reasoning_end = *ids;
    }
    for (const std::string& mark : marks) {
      const int32_t id = tokenizer_.TokenId(mark);
      if (id >= 0 && tokenizer_.IsSpecial(id)) traits_.marks.push_back(id);
    }
  }

  bool OpensReasoning(const Segments& segments) const {
    if (!traits_.reasoning) return false;
    std::string tail;
    for (size_t i = segments.texts.size(); i > 0 && tail.size() < 256; --i) {
      tail = segments.texts[i - 1] + tail;
    }
    tail.erase(tail.find_last_not_of(" \t\r\n") + 1);
    return tail.ends_with(traits_.reasoning->begin);
  }

  Result<Segments> RenderAll(const Conversation& conversation) const {
    if (traits_.calls == nullptr) return RenderSegments(conversation, wants_list_);
    return RenderSegments(WriteToolsAsText(conversation, *traits_.calls, abilities_), wants_list_);
  }

  // Renders a conversation, up to the end of the last message's text if the answer continues it.
  Result<Segments> RenderPrompt(const Conversation& conversation) const {
    if (!conversation.continue_final_message) return RenderAll(conversation);
    Conversation marked = conversation;
    auto& parts = marked.messages.back().parts;
    if (parts.empty() || parts.back().kind != ChatPart::Kind::kText) parts.emplace_back();
    parts.back().text += kOpenEnd;
    EG_ASSIGN_OR_RETURN(Segments segments, RenderAll(marked));
    while (!segments.texts.empty()) {
      std::string& last = segments.texts.back();
      const size_t at = segments.specials.back() ? std::string::npos : last.rfind(kOpenEnd);
      if (at != std::string::npos) {
        last.resize(at);
        return segments;
      }
      segments.texts.pop_back();
      segments.specials.pop_back();
    }
    return InvalidArgument(
        "the model's chat template does not write the last message, which the answer shall "
        "continue");
  }

  // True if the template renders the text of a content and nothing else of it. `as_list`: the
  // content is a list of parts, else a string.
  bool ShowsText(bool as_list) const {
    Conversation conversation;
    conversation.messages = {{"user", {{ChatPart::Kind::kText, "edgegate"}}}};
    const auto segments = RenderSegments(conversation, as_list);
    if (!segments.ok()) return false;
    std::string text;
    for (const std::string& segment : segments->texts) text += segment;
    return text.find("edgegate") != std::string::npos && text.find("type") == std::string::npos;
  }

  // Only the template writes image tokens. Text of users that looks like one stays plain text.
  Status PlaceImages(std::span<const int> image_rows, ChatPrompt* prompt) const {
    const auto& ids = prompt->ids;
    const auto count = static_cast<int>(image_rows.size());
    const auto written = static_cast<int>(std::count(ids.begin(), ids.end(), image_token_));
    if (written < count || written % count != 0) {
      return InvalidArgument("the model's chat template writes {} image tokens for {} images",
                             written, count);
    }
    const int each = written / count;
    std::vector<int32_t> placed;
    for (size_t i = 0; i < ids.size();) {
      if (ids[i] != image_token_) {
        placed.push_back(ids[i++]);
        continue;
      }
      const auto rows = static_cast<size_t>(image_rows[prompt->image_positions.size()]);
      prompt->image_positions.push_back(static_cast<int>(placed.size()));
      placed.insert(placed.end(), rows, image_token_);
      for (int n = 0; n < each; ++n, ++i) {
        if (i == ids.size() || ids[i] != image_token_) {
          return InvalidArgument(
              "the model's chat template writes other tokens between those of an image");
        }
      }
    }
    prompt->ids = std::move(placed);
    return {};
  }

  // A message with an image always has a list of parts. The other messages have one if `as_list` is
  // set.
  Result<Segments> RenderSegments(const Conversation& conversation, bool as_list) const {
    std::vector<std::vector<tk_part>> parts;
    std::vector<std::vector<tk_call>> calls;
    std::vector<tk_message> messages;
    parts.reserve(conversation.messages.size());
    calls.reserve(conversation.messages.size());
    for (const ChatMessage& message : conversation.messages) {
      bool has_image = false;
      parts.emplace_back();
      for (const ChatPart& part : message.parts) {
        const bool is_image = part.kind == ChatPart::Kind::kImage;
        parts.back().push_back({is_image, ToTk(part.text)});
        has_image = has_image || is_image;
      }
      calls.emplace_back();
      for (const ChatCall& call : message.calls) {
        calls.back().push_back({ToTk(call.id), ToTk(call.name), ToTk(call.arguments)});
      }
      messages.push_back({ToTk(message.role), parts.back().data(), parts.back().size(),
                          as_list || has_image, calls.back().data(), calls.back().size(),
                          ToTk(message.name), ToTk(message.call_id), ToTk(message.reasoning)});
    }
    std::vector<tk_tool> tools;
    for (const ChatTool& tool : conversation.tools) {
      tools.push_back({ToTk(tool.name), ToTk(tool.description), ToTk(tool.parameters)});
    }
    const tk_conversation whole{messages.data(),
                                messages.size(),
                                tools.data(),
                                tools.size(),
                                ToTk(conversation.template_kwargs),
                                conversation.add_generation_prompt,
                                arguments_as_text_};
    tk_bytes out{};
    tk_bytes error{};
    if (tk_template_render(handle_.get(), &whole, &out, &error) != 0) {
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
  const std::string image_name_;
  const int32_t image_token_;
  const TemplateFacts facts_;
  AnswerTraits traits_;
  TemplateAbilities abilities_;
  bool arguments_as_text_ = false;
  bool wants_list_ = false;  // the template renders contents that are lists, and not strings
};

}  // namespace

Result<std::unique_ptr<ChatTemplate>> ChatTemplate::Make(const TokenizerAssets& assets,
                                                         const Tokenizer& tokenizer,
                                                         const std::string& image_token,
                                                         const std::string& call_format) {
  EG_ASSIGN_OR_RETURN(const TemplateConfig config, ReadTemplateConfig(assets));
  if (config.source.empty()) return Unimplemented("the model has no chat template");
  const auto replace = json::error_handler_t::replace;
  const std::string specials = json(tokenizer.special_tokens()).dump(-1, ' ', false, replace);
  tk_template* handle = nullptr;
  tk_bytes error{};
  if (tk_template_new(ToTk(config.source), ToTk(specials), ToTk(config.globals), &handle, &error) !=
      0) {
    return InvalidArgument("{}", TakeString(error));
  }
  TemplateFacts facts{config.source, config.bos_token, config.eos_token};
  auto chat = std::make_unique<JinjaTemplate>(handle, tokenizer, image_token, std::move(facts));
  if (!chat->Probe(call_format)) {
    return InvalidArgument("no form of calls is named {}", call_format);
  }
  return std::unique_ptr<ChatTemplate>(std::move(chat));
}

}  // namespace edgegate
