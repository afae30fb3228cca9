#include "engine/text/tools/answer_reader.h"

#include <algorithm>
#include <utility>

namespace edgegate {
namespace {

using Kind = AnswerPart::Kind;

constexpr const char* kBlanks = " \t\r\n";

// Returns the length of the longest ending of `text` that is a proper prefix of `mark`.
size_t HeldBack(std::string_view text, std::string_view mark) {
  if (mark.empty()) return 0;
  for (size_t n = std::min(mark.size() - 1, text.size()); n > 0; --n) {
    if (text.substr(text.size() - n) == mark.substr(0, n)) return n;
  }
  return 0;
}

// True if `text` is a proper prefix of `whole`.
bool Begins(std::string_view text, std::string_view whole) {
  return text.size() < whole.size() && whole.starts_with(text);
}

}  // namespace

void AppendPart(AnswerPart part, std::vector<AnswerPart>* parts) {
  const bool whole = part.kind == Kind::kCallBegin || part.kind == Kind::kCallEnd;
  if (!whole && !parts->empty() && parts->back().kind == part.kind) {
    parts->back().text += part.text;
  } else {
    parts->push_back(std::move(part));
  }
}

AnswerReader::AnswerReader(AnswerSyntax syntax) : syntax_(std::move(syntax)) {
  may_reason_ = syntax_.reasoning.has_value();
  if (may_reason_ && syntax_.reasoning_open) state_ = State::kReasoning;
  if (syntax_.calls == nullptr) return;
  for (const std::string& tool : syntax_.tools) {
    first_heads_.push_back(syntax_.calls->FirstHead(tool));
    next_heads_.push_back(syntax_.calls->NextHead(tool));
  }
}

void AnswerReader::Push(std::string_view text, std::vector<AnswerPart>* parts) {
  held_ += text;
  out_ = parts;
  while (!held_.empty() && Step()) {
  }
}

void AnswerReader::Finish(std::vector<AnswerPart>* parts) {
  at_end_ = true;
  Push("", parts);
}

void AnswerReader::Emit(Kind kind, std::string text) {
  const bool piece = kind == Kind::kContent || kind == Kind::kReasoning || kind == Kind::kArguments;
  if (piece && text.empty()) return;
  AppendPart({kind, std::move(text)}, out_);
}

bool AnswerReader::Step() {
  switch (state_) {
    case State::kStart:
      return ReadStart();
    case State::kReasoning:
      return ReadReasoning();
    case State::kAfterReasoning:
      return ReadAfterReasoning();
    case State::kText:
      return ReadText();
    case State::kHead:
      return ReadHead();
    case State::kArguments:
      return ReadArguments();
    case State::kAfter:
      return ReadAfter();
    case State::kDone:
      held_.clear();
      return false;
  }
  return false;
}

int AnswerReader::MatchHead(const std::vector<std::string>& heads, size_t from, bool* open) const {
  const std::string_view rest = std::string_view(held_).substr(from);
  for (size_t i = 0; i < heads.size(); ++i) {
    if (rest.starts_with(heads[i])) return static_cast<int>(i);
    if (Begins(rest, heads[i])) *open = true;
  }
  return -1;
}

void AnswerReader::BeginCall(int tool, size_t end_of_head) {
  held_.erase(0, end_of_head);
  const auto index = static_cast<size_t>(tool);
  Emit(Kind::kCallBegin, syntax_.tools[index]);
  arguments_.emplace(*syntax_.calls, index < syntax_.plain.size() ? syntax_.plain[index]
                                                                  : std::vector<std::string>());
  state_ = State::kArguments;
}

bool AnswerReader::ReadStart() {
  const size_t blanks = std::min(held_.find_first_not_of(kBlanks), held_.size());
  const std::string_view rest = std::string_view(held_).substr(blanks);
  bool open = false;
  if (may_reason_) {
    const std::string& begin = syntax_.reasoning->begin;
    if (rest.starts_with(begin)) {
      held_.erase(0, blanks + begin.size());
      state_ = State::kReasoning;
      return true;
    }
    open = open || Begins(rest, begin);
  }
  if (syntax_.calls != nullptr) {
    const std::string& mark = syntax_.calls->mark;
    if (!mark.empty() && rest.starts_with(mark)) {
      held_.erase(0, blanks + mark.size());
      state_ = State::kHead;
      return true;
    }
    open = open || Begins(rest, mark);
    if (syntax_.calls->at_start) {
      const int tool = MatchHead(first_heads_, blanks, &open);
      if (tool >= 0) {
        BeginCall(tool, blanks + first_heads_[static_cast<size_t>(tool)].size());
        return true;
      }
    }
  }
  if (open && at_end_ && syntax_.only_calls) held_.clear();
  if (open && (!at_end_ || syntax_.only_calls)) return false;
  // An incomplete head of a call without a mark is content.
  state_ = State::kText;
  return true;
}

bool AnswerReader::ReadReasoning() {
  const std::string& end = syntax_.reasoning->end;
  const size_t found = held_.find(end);
  const bool ends = found != std::string::npos;
  const size_t size = ends ? found : held_.size() - (at_end_ ? 0 : HeldBack(held_, end));
  if (size == 0 && !ends) return false;
  // Blanks around the thoughts are dropped.
  std::string text = blanks_ + held_.substr(0, size);
  if (!thought_) text.erase(0, text.find_first_not_of(kBlanks));
  const size_t last = text.find_last_not_of(kBlanks);
  const size_t kept = last == std::string::npos ? 0 : last + 1;
  blanks_ = text.substr(kept);
  thought_ = thought_ || kept > 0;
  Emit(Kind::kReasoning, text.substr(0, kept));
  held_.erase(0, size + (ends ? end.size() : 0));
  if (ends) state_ = State::kAfterReasoning;
  return true;
}

bool AnswerReader::ReadAfterReasoning() {
  may_reason_ = false;
  held_.erase(0, held_.find_first_not_of(kBlanks));
  if (held_.empty()) return false;
  state_ = State::kStart;
  return true;
}

bool AnswerReader::ReadText() {
  const std::string_view mark = syntax_.calls != nullptr ? syntax_.calls->mark : std::string_view();
  const size_t found = mark.empty() ? std::string::npos : held_.find(mark);
  const bool marked = found != std::string::npos;
  const size_t size = marked ? found : held_.size() - (at_end_ ? 0 : HeldBack(held_, mark));
  Emit(Kind::kContent, held_.substr(0, size));
  held_.erase(0, size + (marked ? mark.size() : 0));
  if (marked) state_ = State::kHead;
  return marked;
}

bool AnswerReader::ReadHead() {
  bool open = false;
  const int tool = MatchHead(first_heads_, 0, &open);
  if (tool >= 0) {
    BeginCall(tool, first_heads_[static_cast<size_t>(tool)].size());
    return true;
  }
  if (open) {
    if (at_end_) held_.clear();
    return false;
  }
  Emit(Kind::kContent, syntax_.calls->mark);
  state_ = State::kText;
  return true;
}

bool AnswerReader::ReadArguments() {
  std::string json;
  const size_t read = arguments_->Read(held_, &json);
  held_.erase(0, read);
  Emit(Kind::kArguments, std::move(json));
  if (!arguments_->done()) return false;
  Emit(Kind::kCallEnd, "");
  state_ = State::kAfter;
  return true;
}

bool AnswerReader::ReadAfter() {
  bool open = false;
  const int tool = syntax_.calls->parallel ? MatchHead(next_heads_, 0, &open) : -1;
  if (tool >= 0) {
    BeginCall(tool, next_heads_[static_cast<size_t>(tool)].size());
    return true;
  }
  // After the last call, only the end of the calls follows.
  if (!open) state_ = State::kDone;
  return !open;
}

}  // namespace edgegate
