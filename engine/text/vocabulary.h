// The tokens of a model: converts ids to text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edgegate {

// Immutable once made: any thread may call any method.
class Vocabulary {
 public:
  virtual ~Vocabulary() = default;

  // Returns the text of `ids` as UTF-8, with U+FFFD for invalid bytes. Unknown ids are skipped.
  std::string Decode(const std::vector<int32_t>& ids, bool skip_special) const;

  // Returns the exact bytes that one token adds in the middle of a text. They need not be valid
  // UTF-8. The name of a special token. Empty for an unknown id.
  virtual std::string TokenBytes(int32_t id) const = 0;

  virtual bool IsSpecial(int32_t id) const = 0;  // an added token with special = true
  virtual bool IsValid(int32_t id) const = 0;    // the tokenizer has this id
  virtual bool StripsLeadingSpace() const = 0;   // decoding drops one space at the start
  virtual int vocab_size() const = 0;            // largest id + 1
};

// Returns a bit for each of `vocab_size` ids, in words of 32: set if the tokenizer has the id.
std::vector<uint32_t> ValidTokens(const Vocabulary& vocabulary, int vocab_size);

// A vocabulary as plain data. Immutable.
class VocabularyTable : public Vocabulary {
 public:
  enum class Kind : uint8_t { kMissing, kOrdinary, kSpecial };

  explicit VocabularyTable(const Vocabulary& other);
  // `ends[id]`: end of the bytes of `id` in `bytes`. Precondition: `ends` is ascending, its last
  // entry is bytes.size(), and `kinds` has the same size.
  VocabularyTable(std::string bytes, std::vector<uint32_t> ends, std::vector<Kind> kinds,
                  bool strips_leading_space);

  std::string TokenBytes(int32_t id) const override;
  bool IsSpecial(int32_t id) const override { return KindOf(id) == Kind::kSpecial; }
  bool IsValid(int32_t id) const override { return KindOf(id) != Kind::kMissing; }
  bool StripsLeadingSpace() const override { return strips_leading_space_; }
  int vocab_size() const override { return static_cast<int>(ends_.size()); }

  // Length of the longest token, in bytes.
  int longest() const { return longest_; }

  const std::string& bytes() const { return bytes_; }
  const std::vector<uint32_t>& ends() const { return ends_; }
  const std::vector<Kind>& kinds() const { return kinds_; }

 private:
  Kind KindOf(int32_t id) const {
    return id < 0 || id >= vocab_size() ? Kind::kMissing : kinds_[static_cast<size_t>(id)];
  }

  std::string bytes_;
  std::vector<uint32_t> ends_;
  std::vector<Kind> kinds_;
  bool strips_leading_space_ = false;
  int longest_ = 0;
};

}  // namespace edgegate
