// A tokenizer.json, through the textkit crate.

#include <algorithm>

#include "engine/text/textkit_bridge.h"
#include "engine/text/tokenizer_impl.h"

namespace edgegate {
namespace {

// Properties of an id, as tk_token returns them.
enum TokenKind { kMissing = 0, kOrdinary = 1, kAdded = 2, kSpecial = 3 };

class HfTokenizer : public Tokenizer {
 public:
  explicit HfTokenizer(tk_tokenizer* handle) : handle_(handle) {
    for (int id = 0; id < vocab_size(); ++id) {
      tk_str bytes;
      if (tk_token(handle_.get(), static_cast<uint32_t>(id), &bytes) == kSpecial) {
        special_tokens_.emplace_back(bytes.data, bytes.size);
      }
    }
  }

  Result<std::vector<int32_t>> Encode(std::string_view text, Specials specials, bool add_special,
                                      int64_t max_tokens) const override {
    tk_ids ids{};
    tk_bytes error{};
    const int code = tk_encode(handle_.get(), ToTk(text), specials == Specials::kParse, add_special,
                               static_cast<size_t>(std::max<int64_t>(max_tokens, 0)), &ids, &error);
    if (code != 0) {
      const std::string message = TakeString(error);
      if (code == 2) return TooManyTokens(max_tokens);
      return InvalidArgument("cannot tokenize: {}", message);
    }
    std::vector<int32_t> out(ids.data, ids.data + ids.size);
    tk_free_ids(ids);
    return out;
  }

  std::string TokenBytes(int32_t id) const override {
    tk_str bytes{};
    if (id < 0 || tk_token(handle_.get(), static_cast<uint32_t>(id), &bytes) == kMissing) return {};
    return {bytes.data, bytes.size};
  }

  bool IsSpecial(int32_t id) const override { return Kind(id) == kSpecial; }
  bool IsValid(int32_t id) const override { return Kind(id) != kMissing; }
  bool StripsLeadingSpace() const override { return tk_strips_leading_space(handle_.get()) != 0; }
  int vocab_size() const override { return static_cast<int>(tk_vocab_size(handle_.get())); }
  int32_t TokenId(std::string_view token) const override {
    return static_cast<int32_t>(tk_token_id(handle_.get(), ToTk(token)));
  }
  const std::vector<std::string>& special_tokens() const override { return special_tokens_; }

 private:
  int Kind(int32_t id) const {
    tk_str bytes;
    return id < 0 ? kMissing : tk_token(handle_.get(), static_cast<uint32_t>(id), &bytes);
  }

  struct Free {
    void operator()(tk_tokenizer* t) const { tk_tokenizer_free(t); }
  };
  std::unique_ptr<tk_tokenizer, Free> handle_;
  std::vector<std::string> special_tokens_;
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> MakeHfTokenizer(const TokenizerAssets& assets) {
  tk_tokenizer* handle = nullptr;
  tk_bytes error{};
  if (tk_tokenizer_new(ToTk(assets.model), &handle, &error) != 0) {
    return Status(StatusCode::kDataLoss, TakeString(error));
  }
  return std::unique_ptr<Tokenizer>(std::make_unique<HfTokenizer>(handle));
}

}  // namespace edgegate
