#include "engine/text/tokenizer.h"
#include "engine/text/utf8.h"

namespace edgegate {

struct StreamDecoder::State {
  const Tokenizer& tokenizer;
  const bool skip_special;
  bool at_start = true;
  std::string held;
};

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool skip_special)
    : state_(new State{tokenizer, skip_special, true, {}}) {}
StreamDecoder::~StreamDecoder() = default;

std::string StreamDecoder::Push(int32_t id) {
  if (state_->skip_special && state_->tokenizer.IsSpecial(id)) return {};
  std::string bytes = state_->tokenizer.TokenBytes(id);
  if (state_->at_start && !bytes.empty()) {
    state_->at_start = false;
    if (bytes[0] == ' ' && state_->tokenizer.StripsLeadingSpace()) bytes.erase(0, 1);
  }
  state_->held += bytes;
  const size_t complete = CompletePrefix(state_->held);
  std::string text = ReplaceInvalidUtf8(std::string_view(state_->held).substr(0, complete));
  state_->held.erase(0, complete);
  return text;
}

std::string StreamDecoder::Finish() {
  std::string text = ReplaceInvalidUtf8(state_->held);
  state_->held.clear();
  return text;
}

}  // namespace edgegate
