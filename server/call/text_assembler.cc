#include "server/call/text_assembler.h"

#include <algorithm>

namespace edgegate {

std::string TextAssembler::Scan(const std::string& text, bool at_end) {
  if (matched_) return {};
  held_ += text;
  size_t first = std::string::npos;
  for (const std::string& stop : stops_) {
    const size_t at = held_.find(stop);
    if (at < first) {
      first = at;
      matched_ = stop;
    }
  }
  if (matched_) {
    std::string out = held_.substr(0, first + (include_stop_ ? matched_->size() : 0));
    held_.clear();
    return out;
  }
  // Hold back the longest end of the text that is the beginning of a stop string.
  size_t hold = 0;
  for (const std::string& stop : stops_) {
    for (size_t n = std::min(stop.size() - 1, held_.size()); n > hold && !at_end; --n) {
      if (held_.compare(held_.size() - n, n, stop, 0, n) == 0) hold = n;
    }
  }
  std::string out = held_.substr(0, held_.size() - hold);
  held_.erase(0, out.size());
  return out;
}

}  // namespace edgegate
