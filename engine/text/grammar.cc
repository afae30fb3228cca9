#include "engine/text/grammar.h"

#include <algorithm>

#include "engine/text/textkit_bridge.h"

namespace edgegate {
namespace {

// Computes each mask synchronously: Poll() and Wait() block until it is there.
class Matcher : public TokenConstraint {
 public:
  Matcher(tk_matcher* handle, const std::vector<int32_t>& eos_token_ids)
      : handle_(handle), eos_token_ids_(eos_token_ids) {}

  std::unique_ptr<TokenConstraint> Clone() const override {
    auto copy = std::make_unique<Matcher>(tk_matcher_clone(handle_.get()), eos_token_ids_);
    copy->error_ = error_;
    return copy;
  }

  State Poll() override {
    if (error_.ok() && mask_.empty()) error_ = ComputeMask();
    return error_.ok() ? State::kReady : State::kFailed;
  }
  State Wait(TimePoint) override { return Poll(); }

  std::span<const uint32_t> Allowed() const override { return mask_; }

  void Accept(int32_t token) override {
    mask_.clear();
    tk_bytes error{};
    if (tk_matcher_accept(handle_.get(), static_cast<uint32_t>(token), &error) != 0) {
      error_ = InvalidArgument("the output's grammar: {}", TakeString(error));
    }
  }

  Status error() const override { return error_; }

 private:
  Status ComputeMask() {
    tk_ids bits{};
    tk_bytes error{};
    if (tk_matcher_allowed(handle_.get(), &bits, &error) != 0) {
      return InvalidArgument("the output's grammar: {}", TakeString(error));
    }
    mask_.assign(bits.data, bits.data + bits.size);
    tk_free_ids(bits);
    // The grammar has a single end-of-text id. If it is allowed, so are the others.
    auto bit = [](int32_t id) { return uint32_t{1} << (id % 32); };
    auto word = [&](int32_t id) -> uint32_t& { return mask_[static_cast<size_t>(id / 32)]; };
    const int32_t first = eos_token_ids_[0];
    if ((word(first) & bit(first)) != 0) {
      for (int32_t id : eos_token_ids_) word(id) |= bit(id);
    }
    return {};
  }

  struct Free {
    void operator()(tk_matcher* m) const { tk_matcher_free(m); }
  };
  std::unique_ptr<tk_matcher, Free> handle_;
  const std::vector<int32_t> eos_token_ids_;
  std::vector<uint32_t> mask_;  // of the next token; empty: not computed yet
  Status error_;                // the cause of kFailed
};

}  // namespace

Grammars::Grammars(const Tokenizer& tokenizer, int vocab_size, std::vector<int32_t> eos_token_ids,
                   std::vector<int32_t> marks)
    : tokenizer_(tokenizer),
      vocab_size_(vocab_size),
      eos_token_ids_(std::move(eos_token_ids)),
      marks_(std::move(marks)) {}

Grammars::~Grammars() { tk_grammars_free(handle_); }

void Grammars::Prepare() const {
  std::call_once(once_, [this] { PrepareOnce(); });
}

void Grammars::PrepareOnce() const {
  if (eos_token_ids_.empty()) {
    error_ = "the model has no end-of-text token";
    return;
  }
  std::vector<std::string> bytes(static_cast<size_t>(vocab_size_));
  std::vector<tk_str> words;
  for (int id = 0; id < vocab_size_; ++id) {
    std::string& own = bytes[static_cast<size_t>(id)];
    const bool is_mark = std::find(marks_.begin(), marks_.end(), id) != marks_.end();
    if (is_mark || (tokenizer_.IsValid(id) && !tokenizer_.IsSpecial(id))) {
      own = tokenizer_.TokenBytes(id);
    }
    words.push_back(ToTk(own));
  }
  for (int32_t id : eos_token_ids_) words[static_cast<size_t>(id)] = {};
  tk_bytes error{};
  if (tk_grammars_new(words.data(), words.size(), static_cast<uint32_t>(eos_token_ids_[0]),
                      &handle_, &error) != 0) {
    error_ = TakeString(error);
  }
}

Result<std::unique_ptr<TokenConstraint>> Grammars::Start(const GrammarSpec& spec) const {
  Prepare();
  if (!handle_) return InvalidArgument("{}", error_);
  tk_matcher* matcher = nullptr;
  tk_bytes error{};
  if (tk_matcher_new(handle_, static_cast<int>(spec.kind), ToTk(spec.text), &matcher, &error) !=
      0) {
    return InvalidArgument("{}", TakeString(error));
  }
  return std::unique_ptr<TokenConstraint>(std::make_unique<Matcher>(matcher, eos_token_ids_));
}

}  // namespace edgegate
