// Tokenizers of every kind give the ids and texts of the published code
// (tests/golden/tokenizers/make.py).

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/text/stream_decoder.h"
#include "engine/text/tokenizer.h"

namespace edgegate {
namespace {

using nlohmann::json;

std::string FromBase64(const std::string& text) {
  static const std::string alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text.substr(0, text.find('='))) {
    bits = bits << 6 | static_cast<uint32_t>(alphabet.find(c));
    if ((count += 6) >= 8) bytes += static_cast<char>(bits >> (count -= 8));
  }
  return bytes;
}

TokenizerAssets AssetsOf(const json& one) {
  if (one["kind"] == "gguf") {
    const json& v = one["vocab"];
    GgufVocab vocab;
    v["model"].get_to(vocab.model);
    v["pre"].get_to(vocab.pre);
    v["tokens"].get_to(vocab.tokens);
    vocab.scores = v.value("scores", std::vector<float>());
    v["types"].get_to(vocab.types);
    v["merges"].get_to(vocab.merges);
    vocab.bos = v["bos"].get<int32_t>();
    if (v.contains("unk")) vocab.unk = v["unk"].get<int32_t>();
    auto assets = AssetsFromGguf(vocab);
    REQUIRE_MESSAGE(assets.ok(), assets.status().message());
    return *std::move(assets);
  }
  TokenizerAssets assets;
  if (one["kind"] == "sentencepiece") {
    assets.kind = TokenizerAssets::Kind::kSentencePiece;
    assets.model = FromBase64(one["model"]);
    one["config"].get_to(assets.tokenizer_config);
  } else {
    one["model"].get_to(assets.model);
  }
  return assets;
}

TEST_CASE("encoding gives the published code's token ids") {
  std::ifstream file(EDGEGATE_SOURCE_DIR "/tests/golden/tokenizers/tokenizers.json");
  const json cases = json::parse(file);
  REQUIRE(cases.size() >= 10);
  for (const json& one : cases) {
    CAPTURE(one["name"].get<std::string>());
    auto tokenizer = Tokenizer::Make(AssetsOf(one));
    REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.status().message());
    for (const json& text : one["texts"]) {
      CAPTURE(text["text"].get<std::string>());
      const std::string source = text["text"];
      auto plain = (*tokenizer)->Encode(source, Tokenizer::Specials::kPlain, false);
      REQUIRE(plain.ok());
      CHECK(*plain == text["plain"].get<std::vector<int32_t>>());
      auto parsed = (*tokenizer)->Encode(source, Tokenizer::Specials::kParse, true);
      REQUIRE(parsed.ok());
      CHECK(*parsed == text["parsed"].get<std::vector<int32_t>>());
    }
  }
}

TEST_CASE("decoding token ids gives the published code's text") {
  std::ifstream file(EDGEGATE_SOURCE_DIR "/tests/golden/tokenizers/tokenizers.json");
  for (const json& one : json::parse(file)) {
    CAPTURE(one["name"].get<std::string>());
    auto tokenizer = Tokenizer::Make(AssetsOf(one));
    REQUIRE(tokenizer.ok());
    for (const json& text : one["texts"]) {
      const std::string source = text["text"];
      auto ids = (*tokenizer)->Encode(source, Tokenizer::Specials::kPlain, false);
      REQUIRE(ids.ok());
      StreamDecoder decoder(**tokenizer, true);
      std::string streamed;
      for (int32_t id : *ids) streamed += decoder.Push(id);
      CHECK(streamed + decoder.Finish() == (*tokenizer)->Decode(*ids, true));
      CHECK((*tokenizer)->Decode(*ids, true) == text["decoded"].get<std::string>());
    }
  }
}

}  // namespace
}  // namespace edgegate
