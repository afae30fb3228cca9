// A model's Jinja chat template. Converts messages to token ids.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/text/conversation.h"
#include "engine/text/tokenizer.h"

namespace edgegate {

struct ChatPrompt {
  std::vector<int32_t> ids;
  std::vector<int> image_positions;  // of each image's first token
};

// Immutable once made: any thread may call any method.
class ChatTemplate {
 public:
  // kUnimplemented: the model has no template. kInvalidArgument: the template does not parse; the
  // message has the line. `tokenizer` must outlive this. `image_token`: the name of the image
  // token; empty: the model takes no images.
  static Result<std::unique_ptr<ChatTemplate>> Make(const TokenizerAssets& assets,
                                                    const Tokenizer& tokenizer,
                                                    const std::string& image_token = "");
  virtual ~ChatTemplate() = default;

  // Returns the text that the template writes. kInvalidArgument: the template called
  // raise_exception, whose message is returned, or it ran too long.
  virtual Result<std::string> Render(const Conversation& conversation) const = 0;

  // Returns the prompt's ids, at most `max_tokens` of text (see Tokenizer::Encode). Special tokens
  // that the template writes become special tokens. Text of the messages stays plain text, even if
  // it looks like a special token. `image_rows`: the number of image tokens of each image, in the
  // order of the messages. It replaces the number that the template writes. kInvalidArgument: the
  // template writes no image token.
  virtual Result<ChatPrompt> Encode(const Conversation& conversation,
                                    int64_t max_tokens = Tokenizer::kNoLimit,
                                    std::span<const int> image_rows = {}) const = 0;
};

}  // namespace edgegate
