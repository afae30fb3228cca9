// The API keys and which of them a request carries.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// Keeps digests only. Immutable after it is made: any thread may call it.
class ApiKeys {
 public:
  ApiKeys() = default;
  explicit ApiKeys(const std::vector<std::string>& keys);

  bool empty() const { return digests_.empty(); }

  // The index of the key in an Authorization field's value, "Bearer KEY" with the scheme in any
  // case. nullopt: none of them. Takes the same time whichever key it is and however much of it is
  // right.
  std::optional<size_t> Find(std::string_view authorization) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  std::vector<Digest> digests_;
};

// One key a line. Blank lines and lines that begin with "#" are skipped, and blanks and carriage
// returns around a key. kNotFound: the file cannot be read. kInvalidArgument, naming the file and
// the line: there is no key, or one holds a blank or a control character.
Result<std::vector<std::string>> ReadApiKeys(const std::string& path);

}  // namespace edgegate
