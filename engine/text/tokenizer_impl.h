// The two kinds of tokenizer behind Tokenizer::Make; for this folder only.
#pragma once

#include <memory>

#include "engine/text/tokenizer.h"

namespace edgegate {

Result<std::unique_ptr<Tokenizer>> MakeHfTokenizer(const TokenizerAssets& assets);
Result<std::unique_ptr<Tokenizer>> MakeSentencePieceTokenizer(const TokenizerAssets& assets);

}  // namespace edgegate
