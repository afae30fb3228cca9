// Converts GGUF tokenizer metadata to a tokenizer.json with the same behaviour.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "engine/text/tokenizer.h"
#include "engine/text/utf8.h"

namespace edgegate {
namespace {

using nlohmann::json;

enum GgufTokenType { kUnknown = 2, kControl = 3, kUserDefined = 4, kByte = 6 };

// The splitting pattern of GPT-4-like tokenizers. They differ in the number of digits in a group.
std::string Pattern(const char* digits) {
  return std::string(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)") + digits +
         R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
}

json ByteLevel(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

json SplitThenBytes(const std::string& pattern) {
  json split = {{"type", "Split"},
                {"pattern", {{"Regex", pattern}}},
                {"behavior", "Isolated"},
                {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", json::array({split, ByteLevel(false)})}};
}

// Returns the pre-tokenizer with this name in llama.cpp. Null: the name is unknown.
json PreTokenizer(const std::string& name) {
  if (name.empty() || name == "default" || name == "gpt-2") return ByteLevel(true);
  if (name == "smollm") {
    json digits = {{"type", "Digits"}, {"individual_digits", true}};
    return {{"type", "Sequence"}, {"pretokenizers", json::array({digits, ByteLevel(true)})}};
  }
  if (name == "llama-bpe" || name == "llama3" || name == "chatglm-bpe" || name == "glm4") {
    return SplitThenBytes(Pattern(R"(\p{N}{1,3})"));
  }
  if (name == "qwen2" || name == "deepseek-r1-qwen") return SplitThenBytes(Pattern(R"(\p{N})"));
  return nullptr;
}

json AddedTokens(const GgufVocab& vocab) {
  json added = json::array();
  for (size_t id = 0; id < vocab.types.size(); ++id) {
    const int32_t type = vocab.types[id];
    const bool unknown = type == kUnknown && vocab.model == "llama";
    if (type != kControl && type != kUserDefined && !unknown) continue;
    added.push_back({{"id", id},
                     {"content", vocab.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", type != kUserDefined}});
  }
  return added;
}

// A post-processor that adds bos and eos if the file asks for them; null if it asks for none.
json PostProcessor(const GgufVocab& vocab, bool add_bos_by_default) {
  json pieces = json::array();
  json specials = json::object();
  auto add = [&](std::optional<int32_t> id) {
    const std::string& name = vocab.tokens[static_cast<size_t>(*id)];
    pieces.push_back({{"SpecialToken", {{"id", name}, {"type_id", 0}}}});
    specials[name] = {{"id", name}, {"ids", {*id}}, {"tokens", {name}}};
  };
  if (vocab.bos && vocab.add_bos.value_or(add_bos_by_default)) add(vocab.bos);
  pieces.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  if (vocab.eos && vocab.add_eos.value_or(false)) add(vocab.eos);
  if (pieces.size() == 1) return nullptr;
  json pair = pieces;
  pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 1}}}});
  return {{"type", "TemplateProcessing"},
          {"single", pieces},
          {"pair", pair},
          {"special_tokens", specials}};
}

json VocabOf(const GgufVocab& vocab) {
  json table = json::object();
  for (size_t id = 0; id < vocab.tokens.size(); ++id) table[vocab.tokens[id]] = id;
  return table;
}

Result<json> ByteLevelBpe(const GgufVocab& vocab) {
  json pre_tokenizer = PreTokenizer(vocab.pre);
  if (pre_tokenizer.is_null()) {
    return Unimplemented("tokenizer.ggml.pre is \"{}\": not supported", vocab.pre);
  }
  // Qwen's own tokenizer applies NFC first; llama.cpp does not.
  const json normalizer = vocab.pre == "qwen2" ? json{{"type", "NFC"}} : json(nullptr);
  const bool llama3 = vocab.pre == "llama-bpe" || vocab.pre == "llama3";
  return json{{"version", "1.0"},
              {"added_tokens", AddedTokens(vocab)},
              {"normalizer", normalizer},
              {"pre_tokenizer", pre_tokenizer},
              {"post_processor", PostProcessor(vocab, llama3)},
              {"decoder", ByteLevel(true)},
              {"model",
               {{"type", "BPE"},
                {"vocab", VocabOf(vocab)},
                {"merges", vocab.merges},
                {"ignore_merges", llama3}}}};
}

// SentencePiece's BPE joins the pair of pieces whose union has the best score. The equivalent list
// of merges has all pairs whose union is a piece, best union first.
json MergesFromScores(const GgufVocab& vocab) {
  std::unordered_map<std::string, size_t> ids;
  for (size_t id = 0; id < vocab.tokens.size(); ++id) ids.emplace(vocab.tokens[id], id);
  struct Merge {
    size_t whole, left, right;
  };
  std::vector<Merge> merges;
  for (size_t id = 0; id < vocab.tokens.size(); ++id) {
    const std::string& token = vocab.tokens[id];
    if (vocab.types[id] == kByte || vocab.types[id] == kControl) continue;
    for (size_t cut = 1; cut < token.size() && token.size() <= 256; ++cut) {
      auto left = ids.find(token.substr(0, cut));
      if (left == ids.end()) continue;
      auto right = ids.find(token.substr(cut));
      if (right != ids.end()) merges.push_back({id, left->second, right->second});
    }
  }
  std::stable_sort(merges.begin(), merges.end(), [&](const Merge& a, const Merge& b) {
    if (vocab.scores[a.whole] != vocab.scores[b.whole]) {
      return vocab.scores[a.whole] > vocab.scores[b.whole];
    }
    return std::pair(a.left, a.right) < std::pair(b.left, b.right);
  });
  json list = json::array();
  for (const Merge& m : merges) list.push_back({vocab.tokens[m.left], vocab.tokens[m.right]});
  return list;
}

Result<json> SentencePieceBpe(const GgufVocab& vocab) {
  if (vocab.scores.size() != vocab.tokens.size()) {
    return DataLoss("tokenizer.ggml.scores has {} entries: must be {}", vocab.scores.size(),
                    vocab.tokens.size());
  }
  json normalizers = json::array();
  if (vocab.add_space_prefix.value_or(true)) {
    normalizers.push_back({{"type", "Prepend"}, {"prepend", "▁"}});
  }
  normalizers.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}});
  json decoders =
      json::array({{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}},
                   {{"type", "ByteFallback"}},
                   {{"type", "Fuse"}}});
  if (vocab.add_space_prefix.value_or(true)) {
    decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  const auto unknown = static_cast<size_t>(vocab.unk.value_or(0));
  return json{{"version", "1.0"},
              {"added_tokens", AddedTokens(vocab)},
              {"normalizer", {{"type", "Sequence"}, {"normalizers", normalizers}}},
              {"pre_tokenizer", nullptr},
              {"post_processor", PostProcessor(vocab, true)},
              {"decoder", {{"type", "Sequence"}, {"decoders", decoders}}},
              {"model",
               {{"type", "BPE"},
                {"vocab", VocabOf(vocab)},
                {"merges", MergesFromScores(vocab)},
                {"unk_token", vocab.tokens[unknown]},
                {"fuse_unk", true},
                {"byte_fallback", true}}}};
}

Status Check(const GgufVocab& vocab) {
  if (vocab.tokens.empty()) return DataLoss("tokenizer.ggml.tokens is missing or empty");
  if (vocab.types.size() != vocab.tokens.size()) {
    return DataLoss("tokenizer.ggml.token_type has {} entries: must be {}", vocab.types.size(),
                    vocab.tokens.size());
  }
  for (size_t id = 0; id < vocab.tokens.size(); ++id) {
    if (!IsValidUtf8(vocab.tokens[id])) return DataLoss("tokenizer.ggml.tokens[{}]: not UTF-8", id);
  }
  for (auto id : {vocab.bos, vocab.eos, vocab.eot, vocab.unk, vocab.pad}) {
    if (id && (*id < 0 || static_cast<size_t>(*id) >= vocab.tokens.size())) {
      return DataLoss("a special token id is {}: must be below {}", *id, vocab.tokens.size());
    }
  }
  return {};
}

}  // namespace

Result<TokenizerAssets> AssetsFromGguf(const GgufVocab& vocab) {
  EG_RETURN_IF_ERROR(Check(vocab));
  json tokenizer;
  if (vocab.model == "gpt2") {
    EG_ASSIGN_OR_RETURN(tokenizer, ByteLevelBpe(vocab));
  } else if (vocab.model == "llama") {
    EG_ASSIGN_OR_RETURN(tokenizer, SentencePieceBpe(vocab));
  } else {
    return Unimplemented("tokenizer.ggml.model is \"{}\": must be gpt2 or llama", vocab.model);
  }
  json config = json::object();
  auto name = [&](const char* key, std::optional<int32_t> id) {
    if (id) config[key] = vocab.tokens[static_cast<size_t>(*id)];
  };
  name("bos_token", vocab.bos);
  name("eos_token", vocab.eos);
  name("pad_token", vocab.pad);
  name("unk_token", vocab.unk);
  const auto replace = json::error_handler_t::replace;
  return TokenizerAssets{TokenizerAssets::Kind::kHuggingFace,
                         tokenizer.dump(-1, ' ', false, replace),
                         config.dump(-1, ' ', false, replace), vocab.chat_template};
}

}  // namespace edgegate
