#include "server/access/api_keys.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace edgegate {
namespace {

constexpr std::string_view kScheme = "bearer";
constexpr size_t kMaxName = 64;

std::array<unsigned char, 32> DigestOf(std::string_view key) {
  std::array<unsigned char, 32> digest;
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
  return digest;
}

std::string_view Trim(std::string_view text) {
  constexpr const char* kBlanks = " \t\r";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool IsScheme(std::string_view text) {
  if (text.size() != kScheme.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != kScheme[i]) return false;
  }
  return true;
}

struct Entry {
  std::string_view name;  // empty: none
  std::string_view key;
};

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

Result<Entry> ParseEntry(std::string_view text) {
  text = Trim(text);
  Entry entry{{}, text};
  if (const size_t blank = text.find_first_of(" \t"); blank != std::string_view::npos) {
    entry = {text.substr(0, blank), Trim(text.substr(blank))};
    if (blank > kMaxName || !std::all_of(entry.name.begin(), entry.name.end(), IsNameCharacter)) {
      return InvalidArgument(
          "the name in front of the key must be 1 to {} of the characters A-Z, a-z, 0-9, '.', '_' "
          "and '-'",
          kMaxName);
    }
  }
  for (char c : entry.key) {
    if (static_cast<unsigned char>(c) > 0x20 && c != 0x7f) continue;
    return InvalidArgument("a key may not hold blanks or control characters");
  }
  if (entry.key.empty()) return InvalidArgument("the key is empty");
  return entry;
}

// Makes the ID of a key without a name. The probability that two keys get the same ID is 2^-48.
std::string IdOf(const std::array<unsigned char, 32>& digest) {
  std::string id = "key-";
  for (size_t i = 0; i < 6; ++i) id += fmt::format("{:02x}", digest[i]);
  return id;
}

}  // namespace

Result<ApiKeys> ApiKeys::Make(const std::vector<std::string>& entries) {
  ApiKeys keys;
  for (size_t i = 0; i < entries.size(); ++i) {
    auto entry = ParseEntry(entries[i]);
    if (!entry.ok()) return InvalidArgument("API key {}: {}", i + 1, entry.status().message());
    const Digest digest = DigestOf(entry->key);
    std::string id = entry->name.empty() ? IdOf(digest) : std::string(entry->name);
    const auto same = std::find_if(keys.keys_.begin(), keys.keys_.end(),
                                   [&](const Key& key) { return key.id == id; });
    if (same != keys.keys_.end() && same->digest == digest) continue;
    if (same != keys.keys_.end()) {
      return InvalidArgument("API key {}: the name {} is taken by another key", i + 1, id);
    }
    keys.keys_.push_back({std::move(id), digest});
  }
  return keys;
}

std::string_view BearerKey(std::string_view authorization) {
  const size_t space = authorization.find(' ');
  if (space == std::string_view::npos || !IsScheme(authorization.substr(0, space))) return {};
  return Trim(authorization.substr(space));
}

const std::string* ApiKeys::Find(std::string_view key) const {
  const Digest given = DigestOf(key);
  const std::string* found = nullptr;
  for (const Key& known : keys_) {
    if (CRYPTO_memcmp(known.digest.data(), given.data(), given.size()) == 0) found = &known.id;
  }
  return found;
}

Result<std::vector<std::string>> ReadApiKeys(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return NotFound("cannot read server.api_keys_file {}: {}", path, std::strerror(errno));
  std::vector<std::string> entries;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    std::string_view entry = line;
    if (number == 1 && entry.starts_with("\xef\xbb\xbf")) entry.remove_prefix(3);
    entry = Trim(entry);
    if (entry.empty() || entry.starts_with('#')) continue;
    if (const auto parsed = ParseEntry(entry); !parsed.ok()) {
      return InvalidArgument("{}:{}: server.api_keys_file: {}", path, number,
                             parsed.status().message());
    }
    entries.emplace_back(entry);
  }
  if (entries.empty()) return InvalidArgument("server.api_keys_file {} holds no key", path);
  return entries;
}

}  // namespace edgegate
