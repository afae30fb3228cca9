// A tokenizer.model, through the sentencepiece library, with the added tokens of
// tokenizer_config.json. The ids equal those of transformers' LlamaTokenizer.

#include <sentencepiece_processor.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/text/tokenizer_impl.h"

namespace edgegate {
namespace {

using nlohmann::json;

struct AddedToken {
  int32_t id;
  bool special;
};

class SentencePieceTokenizer : public Tokenizer {
 public:
  Status Load(const TokenizerAssets& assets) {
    const auto status = processor_.LoadFromSerializedProto(assets.model);
    if (!status.ok()) return DataLoss("tokenizer.model: {}", status.ToString());
    size_ = processor_.GetPieceSize();
    for (int id = 0; id < size_; ++id) {
      if (processor_.IsControl(id)) Add(processor_.IdToPiece(id), {id, true});
    }
    if (assets.tokenizer_config.empty()) return {};
    const json config = json::parse(assets.tokenizer_config, nullptr, false);
    if (!config.is_object())
      return DataLoss("tokenizer_config.json, which names the chat template: not a JSON object");
    add_bos_ = config.value("add_bos_token", json(true)) == json(true);
    add_eos_ = config.value("add_eos_token", json(false)) == json(true);
    const json decoder = config.value("added_tokens_decoder", json::object());
    if (!decoder.is_object()) return DataLoss("added_tokens_decoder: not an object");
    for (const auto& [key, token] : decoder.items()) {
      if (!token.is_object() || !token.contains("content") || !token["content"].is_string() ||
          key.empty() || key.size() > 7 || !std::all_of(key.begin(), key.end(), ::isdigit)) {
        return DataLoss("tokenizer_config.json: added_tokens_decoder[\"{}\"] is malformed", key);
      }
      Add(token["content"].get<std::string>(),
          {std::stoi(key), token.value("special", json(false)) == json(true)});
    }
    return {};
  }

  Result<std::vector<int32_t>> Encode(std::string_view text, Specials specials, bool add_special,
                                      int64_t max_tokens) const override {
    std::vector<int32_t> ids;
    if (add_special && add_bos_ && processor_.bos_id() >= 0) ids.push_back(processor_.bos_id());
    size_t from = 0;
    for (size_t i = 0; i < text.size();) {
      const auto* added = AddedAt(text.substr(i), specials);
      if (added == nullptr) {
        ++i;
        continue;
      }
      EG_RETURN_IF_ERROR(EncodePiece(text.substr(from, i - from), &ids));
      ids.push_back(added->second.id);
      i += added->first.size();
      from = i;
      if (static_cast<int64_t>(ids.size()) > max_tokens) return TooManyTokens(max_tokens);
    }
    EG_RETURN_IF_ERROR(EncodePiece(text.substr(from), &ids));
    if (add_special && add_eos_ && processor_.eos_id() >= 0) ids.push_back(processor_.eos_id());
    if (static_cast<int64_t>(ids.size()) > max_tokens) return TooManyTokens(max_tokens);
    return ids;
  }

  std::string TokenBytes(int32_t id) const override {
    if (auto added = names_.find(id); added != names_.end()) return added->second;
    if (id < 0 || id >= processor_.GetPieceSize()) return {};
    const std::string& piece = processor_.IdToPiece(id);
    if (processor_.IsByte(id)) {
      return std::string(1, static_cast<char>(std::stoi(piece.substr(3, 2), nullptr, 16)));
    }
    std::string bytes;
    for (size_t i = 0; i < piece.size();) {
      const bool space = piece.compare(i, 3, "\xE2\x96\x81") == 0;
      bytes += space ? ' ' : piece[i];
      i += space ? 3 : 1;
    }
    return bytes;
  }

  bool IsSpecial(int32_t id) const override {
    auto name = names_.find(id);
    return name != names_.end() && added_.at(name->second).special;
  }
  bool IsValid(int32_t id) const override {
    return (id >= 0 && id < processor_.GetPieceSize()) || names_.contains(id);
  }
  bool StripsLeadingSpace() const override { return true; }
  int vocab_size() const override { return size_; }
  int32_t TokenId(std::string_view token) const override {
    if (auto added = added_.find(std::string(token)); added != added_.end()) {
      return added->second.id;
    }
    const int id = processor_.PieceToId(std::string(token));
    return id == processor_.unk_id() && processor_.IdToPiece(id) != token ? -1 : id;
  }
  const std::vector<std::string>& special_tokens() const override { return special_tokens_; }

 private:
  void Add(const std::string& name, AddedToken token) {
    if (name.empty()) return;
    if (token.special && !added_.contains(name)) special_tokens_.push_back(name);
    added_[name] = token;
    names_[token.id] = name;
    size_ = std::max(size_, token.id + 1);
  }

  // Returns the longest added token that `text` starts with. Special tokens count only if they are
  // parsed.
  const std::pair<const std::string, AddedToken>* AddedAt(std::string_view text,
                                                          Specials specials) const {
    const std::pair<const std::string, AddedToken>* best = nullptr;
    for (const auto& entry : added_) {
      if (entry.second.special && specials == Specials::kPlain) continue;
      if (text.starts_with(entry.first) && (!best || entry.first.size() > best->first.size())) {
        best = &entry;
      }
    }
    return best;
  }

  Status EncodePiece(std::string_view text, std::vector<int32_t>* ids) const {
    if (text.empty()) return {};
    std::vector<int> piece;
    const auto status = processor_.Encode(std::string(text), &piece);
    if (!status.ok()) return InvalidArgument("cannot tokenize: {}", status.ToString());
    ids->insert(ids->end(), piece.begin(), piece.end());
    return {};
  }

  sentencepiece::SentencePieceProcessor processor_;
  std::map<std::string, AddedToken> added_;
  std::map<int32_t, std::string> names_;
  std::vector<std::string> special_tokens_;
  int size_ = 0;
  bool add_bos_ = true;
  bool add_eos_ = false;
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> MakeSentencePieceTokenizer(const TokenizerAssets& assets) {
  auto tokenizer = std::make_unique<SentencePieceTokenizer>();
  EG_RETURN_IF_ERROR(tokenizer->Load(assets));
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

}  // namespace edgegate
