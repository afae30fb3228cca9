#include "server/access/api_keys.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace edgegate {
namespace {

constexpr std::string_view kScheme = "bearer";

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

}  // namespace

ApiKeys::ApiKeys(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) digests_.push_back(DigestOf(key));
}

std::optional<size_t> ApiKeys::Find(std::string_view authorization) const {
  const size_t space = authorization.find(' ');
  if (space == std::string_view::npos || !IsScheme(authorization.substr(0, space))) {
    return std::nullopt;
  }
  const Digest given = DigestOf(Trim(authorization.substr(space)));
  std::optional<size_t> found;
  for (size_t i = 0; i < digests_.size(); ++i) {
    if (CRYPTO_memcmp(digests_[i].data(), given.data(), given.size()) == 0) found = i;
  }
  return found;
}

Result<std::vector<std::string>> ReadApiKeys(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return NotFound("cannot read server.api_keys_file {}: {}", path, std::strerror(errno));
  std::vector<std::string> keys;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    std::string_view key = line;
    if (number == 1 && key.starts_with("\xef\xbb\xbf")) key.remove_prefix(3);
    key = Trim(key);
    if (key.empty() || key.starts_with('#')) continue;
    for (char c : key) {
      if (static_cast<unsigned char>(c) > 0x20 && c != 0x7f) continue;
      return InvalidArgument(
          "{}:{}: a key of server.api_keys_file may not hold blanks or control "
          "characters",
          path, number);
    }
    keys.emplace_back(key);
  }
  if (keys.empty()) return InvalidArgument("server.api_keys_file {} holds no key", path);
  return keys;
}

}  // namespace edgegate
