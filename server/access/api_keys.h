// The API keys, and which of them a request carries.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// Keeps digests of keys, and no keys. Immutable after it is made: any thread may call it.
class ApiKeys {
 public:
  // No keys.
  ApiKeys() = default;

  // Each entry is a key, or a name, a blank, and a key. Names are 1 to 64 of the characters A-Z,
  // a-z, 0-9, ".", "_" and "-". A key without a name has the ID "key-" and 12 hex digits of its
  // SHA-256. So a key keeps its ID, and what is cached for it, wherever it stands in the list.
  // kInvalidArgument: a name or a key has other characters, or two keys have one ID. The message
  // names the entry by its number, and no key.
  static Result<ApiKeys> Make(const std::vector<std::string>& entries);

  bool empty() const { return keys_.empty(); }

  // The ID of the key in an Authorization field's value, "Bearer KEY" with the scheme in any case.
  // Null: none of them. The time that it takes does not depend on which key it is, nor on how much
  // of it is right.
  const std::string* Find(std::string_view authorization) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  struct Key {
    std::string id;
    Digest digest;
  };
  std::vector<Key> keys_;
};

// The entries of a file, one a line, for ApiKeys::Make. Blank lines and lines that begin with "#"
// are skipped, and blanks and carriage returns around an entry. kNotFound: the file cannot be read.
// kInvalidArgument, naming the file and, where one is at fault, the line.
Result<std::vector<std::string>> ReadApiKeys(const std::string& path);

}  // namespace edgegate
