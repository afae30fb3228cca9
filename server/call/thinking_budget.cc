#include "server/call/thinking_budget.h"

#include <algorithm>
#include <utility>

namespace edgegate {
namespace {

using Mask = std::vector<uint32_t>;

void Set(Mask* mask, int32_t id) {
  (*mask)[static_cast<size_t>(id / 32)] |= uint32_t{1} << (id % 32);
}

// Data that all sequences of a request share.
struct Shared {
  ThinkingLimits limits;
  const Vocabulary& vocabulary;
  std::span<const uint32_t> all;
  std::shared_ptr<const TokenConstraint> inner;  // at its start; null: none
};

class ThinkingBudget : public TokenConstraint {
 public:
  // `inner`: null at the start of all sequences, which is only cloned, and where there is none.
  ThinkingBudget(std::shared_ptr<const Shared> shared, std::unique_ptr<TokenConstraint> inner)
      : shared_(std::move(shared)), inner_(std::move(inner)) {
    if (shared_->limits.open) Think();
  }

  // Only the start is cloned.
  std::unique_ptr<TokenConstraint> Clone() const override {
    const auto& inner = shared_->inner;
    return std::make_unique<ThinkingBudget>(shared_, inner ? inner->Clone() : nullptr);
  }

  State Poll() override { return inner_ ? inner_->Poll() : State::kReady; }
  State Wait(TimePoint deadline) override {
    return inner_ ? inner_->Wait(deadline) : State::kReady;
  }
  std::span<const uint32_t> Allowed() const override {
    // A character that is not complete keeps the grammar from ending the thoughts: then one more
    // token comes.
    if (phase_ == Phase::kForced && Permits(shared_->limits.end_ids[forced_])) return mask_;
    return inner_ ? inner_->Allowed() : shared_->all;
  }
  Status error() const override { return inner_ ? inner_->error() : Status(); }

  void Accept(int32_t token) override {
    if (inner_) inner_->Accept(token);
    const ThinkingLimits& limits = shared_->limits;
    switch (phase_) {
      case Phase::kStart:
        text_ += shared_->vocabulary.TokenBytes(token);
        return LookForBegin();
      case Phase::kThinking:
        text_ += shared_->vocabulary.TokenBytes(token);
        ++used_;
        if (text_.find(limits.marks.end) != std::string::npos) {
          phase_ = Phase::kDone;
        } else if (used_ >= limits.tokens) {
          Force(0);
        }
        // The kept text may have the beginning of the end mark.
        if (text_.size() > limits.marks.end.size()) {
          text_.erase(0, text_.size() - limits.marks.end.size());
        }
        return;
      case Phase::kForced:
        if (token == limits.end_ids[forced_]) Force(forced_ + 1);
        return;
      case Phase::kDone:
        return;
    }
  }

 private:
  enum class Phase { kStart, kThinking, kForced, kDone };

  bool Permits(int32_t id) const {
    if (!inner_) return true;
    return (inner_->Allowed()[static_cast<size_t>(id / 32)] >> (id % 32) & 1) != 0;
  }

  void LookForBegin() {
    const std::string& begin = shared_->limits.marks.begin;
    const size_t blanks = std::min(text_.find_first_not_of(" \t\r\n"), text_.size());
    const std::string_view rest = std::string_view(text_).substr(blanks);
    if (rest.starts_with(begin)) {
      text_.clear();
      Think();
    } else if (!begin.starts_with(rest)) {
      phase_ = Phase::kDone;
    }
  }

  void Think() {
    phase_ = Phase::kThinking;
    if (shared_->limits.tokens == 0) Force(0);
  }

  // The token of the end mark at this place comes next.
  void Force(size_t place) {
    forced_ = place;
    phase_ = place < shared_->limits.end_ids.size() ? Phase::kForced : Phase::kDone;
    if (phase_ == Phase::kDone) return;
    mask_.assign(shared_->all.size(), 0);
    Set(&mask_, shared_->limits.end_ids[place]);
  }

  const std::shared_ptr<const Shared> shared_;
  const std::unique_ptr<TokenConstraint> inner_;
  Phase phase_ = Phase::kStart;
  std::string text_;  // of the answer's start, or the last of the thoughts
  int used_ = 0;
  size_t forced_ = 0;  // the place in the end mark
  Mask mask_;
};

}  // namespace

std::unique_ptr<TokenConstraint> LimitThinking(ThinkingLimits limits, const Vocabulary& vocabulary,
                                               std::span<const uint32_t> valid,
                                               std::shared_ptr<const TokenConstraint> inner) {
  auto shared = std::make_shared<const Shared>(
      Shared{std::move(limits), vocabulary, valid, std::move(inner)});
  return std::make_unique<ThinkingBudget>(std::move(shared), nullptr);
}

}  // namespace edgegate
