// A model's own Jinja chat template, and the way from messages to token ids.
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
  bool reasoning_open = false;       // it ends with the mark that begins thoughts
};

// How a model writes its answers.
struct AnswerTraits {
  const CallFormat* calls = nullptr;        // the form of its calls; null: not known
  bool calls_shown = false;                 // the template itself shows tools
  std::optional<ReasoningMarks> reasoning;  // absent: it does not think aloud
  std::vector<int32_t> reasoning_end;       // the tokens of the end mark
  std::vector<int32_t> marks;               // special tokens that are marks of calls or thoughts
};

// Immutable once made: any thread may call any method.
class ChatTemplate {
 public:
  // kUnimplemented when the model has no template; kInvalidArgument, with the line, when it does
  // not parse. `tokenizer` must outlive this. `image_token`: the name of the token that stands for
  // images; empty: the model takes none. `call_format`: the name of the form of calls; empty: what
  // the template shows. kInvalidArgument where there is no such form.
  static Result<std::unique_ptr<ChatTemplate>> Make(const TokenizerAssets& assets,
                                                    const Tokenizer& tokenizer,
                                                    const std::string& image_token = "",
                                                    const std::string& call_format = "");
  virtual ~ChatTemplate() = default;

  virtual const AnswerTraits& traits() const = 0;

  // Gives the prompt's text, as the template writes it. kInvalidArgument when the template itself
  // raises (raise_exception), with its message, or when it runs too long.
  virtual Result<std::string> Render(const Conversation& conversation) const = 0;

  // Gives the prompt's ids, at most `max_tokens` of text (see Tokenizer::Encode). The template's
  // own special tokens become special tokens. What the messages carry stays plain text even where
  // it looks like one. `image_rows`: the number of image tokens of each image, in the order of the
  // messages. It replaces the number that the template writes (one, say). kInvalidArgument where
  // the template writes none.
  virtual Result<ChatPrompt> Encode(const Conversation& conversation,
                                    int64_t max_tokens = Tokenizer::kNoLimit,
                                    std::span<const int> image_rows = {}) const = 0;
};

}  // namespace edgegate
