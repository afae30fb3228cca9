#include "server/call/text_assembler.h"

#include <algorithm>

namespace edgegate {

void TextAssembler::Add(const std::string& text, bool at_end, std::vector<AnswerPart>* parts) {
  if (!reader_) return AddContent(text, at_end, parts);
  std::vector<AnswerPart> pieces;
  reader_->Push(text, &pieces);
  if (at_end) reader_->Finish(&pieces);
  for (AnswerPart& piece : pieces) {
    if (piece.kind == AnswerPart::Kind::kContent) {
      AddContent(piece.text, false, parts);
      continue;
    }
    // A stop string does not continue across thoughts and calls.
    AddContent("", true, parts);
    if (!matched_) AppendPart(std::move(piece), parts);
  }
  if (at_end) AddContent("", true, parts);
}

void TextAssembler::AddContent(const std::string& text, bool at_end,
                               std::vector<AnswerPart>* parts) {
  std::string certain = Scan(text, at_end);
  if (!certain.empty()) AppendPart({AnswerPart::Kind::kContent, std::move(certain)}, parts);
}

std::string TextAssembler::Scan(const std::string& text, bool at_end) {
  if (matched_) return {};
  if (unsearched_ > 0) return text;
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
