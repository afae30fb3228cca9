// The API keys, and which of them a request carries.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// Stores digests of keys instead of keys. Immutable after construction: any thread may call it.
class ApiKeys {
 public:
  // Makes an object without keys.
  ApiKeys() = default;

  // Each entry is a key, or a name, a blank, and a key. Names are 1 to 64 of the characters A-Z,
  // a-z, 0-9, ".", "_" and "-". A key without a name has the ID "key-" and 12 hex digits of its
  // SHA-256. So a key keeps its ID, and what is cached for it, wherever it stands in the list.
  // kInvalidArgument: a name or a key has other characters, or two keys have one ID. The message
  // names the entry by its number, and no key.
  static Result<ApiKeys> Make(const std::vector<std::string>& entries);

  bool empty() const { return keys_.empty(); }

  // Returns the ID of a key. Null: the key is not in the list. The time does not depend on which
  // key matches, nor on how many characters match.
  const std::string* Find(std::string_view key) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Key {
    std::string id;
    Digest digest;
  };
  std::vector<Key> keys_;
};

// Returns the key in an Authorization field's value, "Bearer KEY" with the scheme in any case.
// Empty: there is none.
std::string_view BearerKey(std::string_view authorization);

// Reads the entries of a file, one per line, for ApiKeys::Make. Skips blank lines and lines that
// begin with "#". Removes blanks and carriage returns around an entry. kNotFound: the file cannot
// be read. kInvalidArgument: the content is wrong; the message names the file and, if one line is
// wrong, that line.
Result<std::vector<std::string>> ReadApiKeys(const std::string& path);

}  // namespace edgegate
