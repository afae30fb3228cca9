#include "engine/text/tokenizer.h"

#include "engine/text/tokenizer_impl.h"

namespace edgegate {

Result<std::unique_ptr<Tokenizer>> Tokenizer::Make(const TokenizerAssets& assets) {
  if (assets.kind == TokenizerAssets::Kind::kSentencePiece) {
    return MakeSentencePieceTokenizer(assets);
  }
  return MakeHfTokenizer(assets);
}

std::string Tokenizer::Decode(const std::vector<int32_t>& ids, bool skip_special) const {
  StreamDecoder decoder(*this, skip_special);
  std::string text;
  for (int32_t id : ids) text += decoder.Push(id);
  return text + decoder.Finish();
}

Result<std::vector<int32_t>> Tokenizer::EncodeSegments(const std::vector<std::string>& segments,
                                                       const std::vector<bool>& specials) const {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (specials[i]) {
      ids.push_back(TokenId(segments[i]));
      continue;
    }
    EG_ASSIGN_OR_RETURN(auto piece, Encode(segments[i], Specials::kPlain, false));
    ids.insert(ids.end(), piece.begin(), piece.end());
  }
  return ids;
}

}  // namespace edgegate
