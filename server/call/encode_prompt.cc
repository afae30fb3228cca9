#include "server/call/encode_prompt.h"

#include <algorithm>
#include <utility>

#include "server/call/turns.h"

namespace edgegate {
namespace {

constexpr int kTokensBeyondContext = 4096;  // counted at most, for the message
// Largest factor by which a normalizer shortens a text. NFC joins up to three characters to one.
constexpr int64_t kNormalizing = 4;

CallError TooLong(const Call& call, const ServedModel& model, const std::string& size) {
  return BadField(call.input_field,
                  fmt::format("This model's maximum context length is {} tokens. However, the {} "
                              "{}. Please reduce the length of the {}.",
                              model.limits.max_model_len, call.input_field, size, call.input_field),
                  "context_length_exceeded");
}

// Returns the largest number of bytes of a text that is tokenized. A longer text always has more
// tokens than the context.
int64_t MostBytes(const ServedModel& model) {
  return kNormalizing * model.limits.max_model_len *
         std::max(1, model.text->vocabulary().longest());
}

std::optional<CallError> CheckBytes(const Call& call, const ServedModel& model, size_t bytes) {
  const int64_t most = MostBytes(model);
  if (static_cast<int64_t>(bytes) <= most) return std::nullopt;
  return TooLong(call, model, fmt::format("have {} bytes; at most {} are read", bytes, most));
}

// Checks the length of texts other than the messages. A template may leave them out, so that their
// length does not determine the number of tokens.
std::optional<CallError> CheckBytesBeside(const char* field, const ServedModel& model,
                                          size_t bytes) {
  const int64_t most = MostBytes(model);
  if (static_cast<int64_t>(bytes) <= most) return std::nullopt;
  return BadField(field, fmt::format("Invalid '{}': it has {} bytes; at most {} are read.", field,
                                     bytes, most));
}

std::optional<CallError> CheckBytes(const Call& call, const ServedModel& model,
                                    const Conversation& conversation) {
  size_t tools = 0;
  for (const ChatTool& tool : conversation.tools) {
    tools += tool.name.size() + tool.description.size() + tool.parameters.size();
  }
  // Turns that are too long may be dropped.
  if (!call.drop_turns) {
    if (auto error = CheckBytes(call, model, BytesOfMessages(conversation))) return error;
  }
  if (auto error = CheckBytesBeside("tools", model, tools)) return error;
  return CheckBytesBeside("chat_template_kwargs", model, conversation.template_kwargs.size());
}

// Tokenizes the turns of a conversation that fit the context. Removes the images of the other turns
// from `images`.
Result<FittedChat> TokenizeTurns(const Call& call, const ServedModel& model, int64_t most,
                                 std::vector<PromptMedia>* images, const JobContext& context) {
  std::vector<int> rows;
  for (const PromptMedia& image : *images) {
    EG_ASSIGN_OR_RETURN(const MediaLayout layout, model.limits.media->Layout(image.item));
    rows.push_back(layout.rows);
  }
  if (!call.drop_turns) {
    EG_ASSIGN_OR_RETURN(ChatPrompt prompt,
                        model.text->EncodeChat(*call.conversation(), most, rows, context));
    return FittedChat{std::move(prompt)};
  }
  const int length = model.limits.max_model_len, quarter = length / 4;
  const TurnLimits limits{MostBytes(model), length,
                          std::clamp(call.max_tokens.value_or(quarter), 1, std::max(1, quarter))};
  return FitTurns(*call.conversation(), limits, [&](const Conversation& turns, size_t dropped) {
    const auto first = rows.begin() + static_cast<std::ptrdiff_t>(dropped);
    return model.text->EncodeChat(turns, most, std::vector<int>(first, rows.end()), context);
  });
}

// Does the same as EncodeCallPrompt(), with a Status for an error.
Result<ChatPrompt> Tokenize(const Call& call, const ServedModel& model, int prompt,
                            std::vector<PromptMedia>* images, const JobContext& context,
                            size_t* dropped) {
  const int64_t most = int64_t{model.limits.max_model_len} + kTokensBeyondContext;
  if (call.conversation() != nullptr) {
    EG_ASSIGN_OR_RETURN(FittedChat fitted, TokenizeTurns(call, model, most, images, context));
    images->erase(images->begin(), images->begin() + static_cast<std::ptrdiff_t>(fitted.images));
    *dropped = fitted.turns;
    ChatPrompt encoded = std::move(fitted.prompt);
    if (encoded.image_positions.size() != images->size()) {
      return Internal("the prompt has places for {} images, not for {}",
                      encoded.image_positions.size(), images->size());
    }
    for (size_t i = 0; i < images->size(); ++i) {
      (*images)[i].position = encoded.image_positions[i];
    }
    return encoded;
  }
  const TextPrompt& text = (*call.texts())[static_cast<size_t>(prompt)];
  if (const auto* ids = std::get_if<std::vector<int32_t>>(&text)) return ChatPrompt{*ids, {}};
  EG_ASSIGN_OR_RETURN(auto ids, model.text->EncodeText(std::get<std::string>(text), most, context));
  return ChatPrompt{std::move(ids), {}};
}

// Makes the error for a failure of Tokenize().
CallError TokenizeError(const Call& call, const ServedModel& model, const Status& status) {
  if (status.code() != StatusCode::kResourceExhausted) return AtField(call.input_field, status);
  return TooLong(
      call, model,
      fmt::format("have more than {} tokens", model.limits.max_model_len + kTokensBeyondContext));
}

}  // namespace

std::optional<CallError> CheckPromptBytes(const Call& call, const ServedModel& model) {
  if (call.conversation() != nullptr) return CheckBytes(call, model, *call.conversation());
  for (const TextPrompt& prompt : *call.texts()) {
    const auto* text = std::get_if<std::string>(&prompt);
    if (auto error = CheckBytes(call, model, text ? text->size() : 0)) return error;
    const auto* ids = std::get_if<std::vector<int32_t>>(&prompt);
    if (ids && ids->size() > static_cast<size_t>(model.limits.max_model_len)) {
      return TooLong(call, model, fmt::format("have {} tokens", ids->size()));
    }
  }
  return std::nullopt;
}

std::variant<ChatPrompt, CallError> EncodeCallPrompt(const Call& call, const ServedModel& model,
                                                     int prompt, std::vector<PromptMedia>* images,
                                                     const JobContext& context,
                                                     size_t* dropped_turns) {
  auto encoded = Tokenize(call, model, prompt, images, context, dropped_turns);
  if (!encoded.ok()) return TokenizeError(call, model, encoded.status());
  return *std::move(encoded);
}

}  // namespace edgegate
