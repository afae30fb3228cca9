// A model's own Jinja chat template, and the way from messages to token ids.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/text/conversation.h"
#include "engine/text/tokenizer.h"

namespace edgegate {

// What stands for an image in a prompt: `rows` times the token `token`.
struct ImagePlaceholder {
  std::string token;  // its name in the vocabulary; empty: the model takes no images
  int rows = 0;
};

struct ChatPrompt {
  std::vector<int32_t> ids;
  std::vector<int> image_positions;  // of each image's first token
};

// Immutable once made: any thread may call any method.
class ChatTemplate {
 public:
  // kUnimplemented when the model has no template; kInvalidArgument, with the line, when it does
  // not parse. `tokenizer` must outlive this.
  static Result<std::unique_ptr<ChatTemplate>> Make(const TokenizerAssets& assets,
                                                    const Tokenizer& tokenizer,
                                                    const ImagePlaceholder& image = {});
  virtual ~ChatTemplate() = default;

  // Gives the prompt's text, as the template writes it. kInvalidArgument when the template itself
  // raises (raise_exception), with its message, or when it runs too long.
  virtual Result<std::string> Render(const Conversation& conversation) const = 0;

  // Gives the prompt's ids, at most `max_tokens` of text (see Tokenizer::Encode). The template's
  // own special tokens become special tokens. What the messages carry stays plain text even where
  // it looks like one. Where a template writes another number of image tokens than an image has
  // rows (one, say), the image's number takes their place. kInvalidArgument where it writes none.
  virtual Result<ChatPrompt> Encode(const Conversation& conversation,
                                    int64_t max_tokens = Tokenizer::kNoLimit) const = 0;
};

}  // namespace edgegate
