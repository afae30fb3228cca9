#include "engine/text/tokenizer.h"

#include "engine/text/tokenizer_impl.h"

namespace edgegate {

Result<std::unique_ptr<Tokenizer>> Tokenizer::Make(const TokenizerAssets& assets) {
  if (assets.kind == TokenizerAssets::Kind::kSentencePiece) {
    return MakeSentencePieceTokenizer(assets);
  }
  return MakeHfTokenizer(assets);
}

Result<std::vector<int32_t>> Tokenizer::EncodeSegments(const std::vector<std::string>& segments,
                                                       const std::vector<bool>& specials,
                                                       int64_t max_tokens) const {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (specials[i]) {
      ids.push_back(TokenId(segments[i]));
      continue;
    }
    const int64_t left = max_tokens - static_cast<int64_t>(ids.size());
    EG_ASSIGN_OR_RETURN(auto piece, Encode(segments[i], Specials::kPlain, false, left));
    ids.insert(ids.end(), piece.begin(), piece.end());
    if (static_cast<int64_t>(ids.size()) > max_tokens) return TooManyTokens(max_tokens);
  }
  return ids;
}

}  // namespace edgegate
