// Uses any bytes as a tokenizer.json or a tokenizer.model. If they make a tokenizer, it encodes and
// decodes.

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/text/tokenizer.h"

namespace {

constexpr size_t kMaxBytes = 16384;
constexpr int kTokens = 64;  // number of tokens whose bytes are read

void Use(const edgegate::Tokenizer& tokenizer) {
  using Specials = edgegate::Tokenizer::Specials;
  for (std::string_view text : {"", "Hello, world 123", "\xC3\xA9\xF0\x9F\x98\x80 <s> a\n\n b",
                                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    for (const Specials specials : {Specials::kPlain, Specials::kParse}) {
      const auto ids = tokenizer.Encode(text, specials, true);
      if (ids.ok()) (void)tokenizer.Decode(*ids, false);
    }
  }
  for (int32_t id = -1; id < kTokens; ++id) {
    (void)tokenizer.TokenBytes(id);
    (void)tokenizer.IsSpecial(id);
  }
  (void)tokenizer.TokenBytes(INT32_MAX);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace edgegate;
  if (size > kMaxBytes) return 0;
  TokenizerAssets assets;
  assets.model.assign(reinterpret_cast<const char*>(data), size);
  const bool json = size > 0 && data[0] == '{';
  assets.kind = json ? TokenizerAssets::Kind::kHuggingFace : TokenizerAssets::Kind::kSentencePiece;
  const auto tokenizer = Tokenizer::Make(assets);
  if (tokenizer.ok()) Use(**tokenizer);
  return 0;
}
