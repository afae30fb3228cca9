// The two implementations behind Tokenizer::Make. Private to this folder.
#pragma once

#include <memory>

#include "engine/text/tokenizer.h"

namespace edgegate {

// The error of Encode() for text with more tokens than are allowed.
inline Status TooManyTokens(int64_t max_tokens) {
  return ResourceExhausted("it has more than {} tokens", max_tokens);
}

Result<std::unique_ptr<Tokenizer>> MakeHfTokenizer(const TokenizerAssets& assets);
Result<std::unique_ptr<Tokenizer>> MakeSentencePieceTokenizer(const TokenizerAssets& assets);

}  // namespace edgegate
