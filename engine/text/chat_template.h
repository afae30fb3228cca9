// A model's Jinja chat template. Converts messages to token ids.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/text/conversation.h"
#include "engine/text/tokenizer.h"
#include "engine/text/tools/call_format.h"

namespace edgegate {

struct ChatPrompt {
  std::vector<int32_t> ids;
  std::vector<int> image_positions;  // of each image's first token
  bool reasoning_open = false;       // the prompt ends with the begin mark of thoughts
};

// A prompt that is split at a mark, where a text of the daemon replaces the mark.
struct SplitPrompt {
  ChatPrompt before;  // its tokens
  // The segments that follow, as Tokenizer::EncodeSegments takes them. The first segment is text,
  // which continues the text that replaces the mark. If the prompt opens thoughts, they are closed.
  std::vector<std::string> after;
  std::vector<bool> specials;
};

// The marks and forms that a model uses in its answers.
struct AnswerTraits {
  const CallFormat* calls = nullptr;        // the form of its calls; null: not known
  bool calls_shown = false;                 // the template itself shows tools
  std::optional<ReasoningMarks> reasoning;  // absent: its answers have no thoughts
  std::vector<int32_t> reasoning_end;       // the tokens of the end mark
  std::vector<int32_t> marks;               // special tokens that are marks of calls or thoughts
};

// The parts of a template that clients can ask for.
struct TemplateFacts {
  std::string source;                // Jinja
  std::string bos_token, eos_token;  // names of special tokens; empty: not known
};

// Immutable once made: any thread may call any method.
class ChatTemplate {
 public:
  // kUnimplemented: the model has no template. kInvalidArgument: the template does not parse, and
  // the message has the line; or no form of calls is named `call_format`. `tokenizer` must outlive
  // this. `image_token`: the name of the image token; empty: the model takes no images.
  // `call_format`: the name of the form of calls; empty: detected from the template.
  static Result<std::unique_ptr<ChatTemplate>> Make(const TokenizerAssets& assets,
                                                    const Tokenizer& tokenizer,
                                                    const std::string& image_token = "",
                                                    const std::string& call_format = "");
  virtual ~ChatTemplate() = default;

  virtual const AnswerTraits& traits() const = 0;
  virtual const TemplateFacts& facts() const = 0;

  // Returns the text that the template writes. kInvalidArgument: the template called
  // raise_exception, whose message is returned, or it ran too long.
  virtual Result<std::string> Render(const Conversation& conversation) const = 0;

  // Returns the prompt's ids, at most `max_tokens` of text (see Tokenizer::Encode). Special tokens
  // that the template writes become special tokens. Text of the messages stays plain text, even if
  // it looks like a special token. `image_rows`: the number of image tokens of each image, in the
  // order of the messages. It replaces the number that the template writes. kInvalidArgument: the
  // template writes no image token, or not the last message that the answer shall continue.
  virtual Result<ChatPrompt> Encode(const Conversation& conversation,
                                    int64_t max_tokens = Tokenizer::kNoLimit,
                                    std::span<const int> image_rows = {}) const = 0;

  // Does the same as Encode(), for a prompt in which the template writes `mark` exactly once, as
  // text and after all images. kInvalidArgument: it does not.
  virtual Result<SplitPrompt> EncodeSplit(const Conversation& conversation, std::string_view mark,
                                          int64_t max_tokens,
                                          std::span<const int> image_rows) const = 0;
};

}  // namespace edgegate
