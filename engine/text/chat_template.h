// A model's own Jinja chat template, and the way from messages to token ids.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/text/tokenizer.h"

namespace edgegate {

struct ChatTemplateInput {
  // An array of {"role": ..., "content": ...} objects. A content is a string, or an array of
  // {"type": "text", "text": ...} and {"type": "image"}.
  std::string messages_json;
  int num_images = 0;       // of all messages
  std::string tools_json;   // an array, or empty
  std::string kwargs_json;  // an object of extra variables (`chat_template_kwargs`), or empty
  bool add_generation_prompt = true;
  int64_t max_tokens = Tokenizer::kNoLimit;  // of the text; see Tokenizer::Encode
};

// What stands for a picture in a prompt: `rows` times the token `token`.
struct ImagePlaceholder {
  std::string token;  // its name in the vocabulary; empty: the model takes no pictures
  int rows = 0;
};

struct ChatPrompt {
  std::vector<int32_t> ids;
  std::vector<int> image_positions;  // of each picture's first token
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

  // The prompt's text, as the template writes it. kInvalidArgument when the template itself raises
  // (raise_exception), with its message, or when it runs too long.
  virtual Result<std::string> Render(const ChatTemplateInput& input) const = 0;

  // The prompt's ids: the template's own special tokens become special tokens, and what the
  // messages carry stays plain text even where it looks like one. Where a template writes another
  // number of image tokens than a picture has rows (one, say), the picture's number takes their
  // place. kInvalidArgument where it writes none.
  virtual Result<ChatPrompt> Encode(const ChatTemplateInput& input) const = 0;
};

}  // namespace edgegate
