#include "engine/text/stream_decoder.h"

#include <algorithm>

#include "engine/text/utf8.h"

namespace edgegate {

std::string StreamDecoder::Push(int32_t id) {
  const bool kept = std::find(kept_.begin(), kept_.end(), id) != kept_.end();
  if (skip_special_ && !kept && vocabulary_.IsSpecial(id)) return {};
  std::string bytes = vocabulary_.TokenBytes(id);
  if (at_start_ && !bytes.empty()) {
    at_start_ = false;
    if (bytes[0] == ' ' && vocabulary_.StripsLeadingSpace()) bytes.erase(0, 1);
  }
  held_ += bytes;
  const size_t complete = CompletePrefix(held_);
  std::string text = ReplaceInvalidUtf8(std::string_view(held_).substr(0, complete));
  held_.erase(0, complete);
  return text;
}

std::string StreamDecoder::Finish() {
  std::string text = ReplaceInvalidUtf8(held_);
  held_.clear();
  return text;
}

}  // namespace edgegate
