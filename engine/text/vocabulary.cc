#include "engine/text/vocabulary.h"

#include <algorithm>

#include "engine/text/stream_decoder.h"

namespace edgegate {

std::vector<uint32_t> ValidTokens(const Vocabulary& vocabulary, int vocab_size) {
  std::vector<uint32_t> mask((static_cast<size_t>(vocab_size) + 31) / 32, 0);
  for (int32_t id = 0; id < vocab_size; ++id) {
    if (vocabulary.IsValid(id)) mask[static_cast<size_t>(id / 32)] |= uint32_t{1} << (id % 32);
  }
  return mask;
}

std::string Vocabulary::Decode(const std::vector<int32_t>& ids, bool skip_special) const {
  StreamDecoder decoder(*this, skip_special);
  std::string text;
  for (int32_t id : ids) text += decoder.Push(id);
  return text + decoder.Finish();
}

VocabularyTable::VocabularyTable(const Vocabulary& other)
    : strips_leading_space_(other.StripsLeadingSpace()) {
  for (int id = 0; id < other.vocab_size(); ++id) {
    bytes_ += other.TokenBytes(id);
    ends_.push_back(static_cast<uint32_t>(bytes_.size()));
    kinds_.push_back(other.IsSpecial(id) ? Kind::kSpecial
                     : other.IsValid(id) ? Kind::kOrdinary
                                         : Kind::kMissing);
    longest_ = std::max(longest_, static_cast<int>(other.TokenBytes(id).size()));
  }
}

VocabularyTable::VocabularyTable(std::string bytes, std::vector<uint32_t> ends,
                                 std::vector<Kind> kinds, bool strips_leading_space)
    : bytes_(std::move(bytes)),
      ends_(std::move(ends)),
      kinds_(std::move(kinds)),
      strips_leading_space_(strips_leading_space) {
  uint32_t begin = 0;
  for (uint32_t end : ends_) {
    longest_ = std::max(longest_, static_cast<int>(end - begin));
    begin = end;
  }
}

std::string VocabularyTable::TokenBytes(int32_t id) const {
  if (!IsValid(id)) return {};
  const auto i = static_cast<size_t>(id);
  const uint32_t begin = i == 0 ? 0 : ends_[i - 1];
  return bytes_.substr(begin, ends_[i] - begin);
}

}  // namespace edgegate
