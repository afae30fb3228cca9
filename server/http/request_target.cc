#include "server/http/request_target.h"

#include <arpa/inet.h>

#include <algorithm>

#include "server/http/syntax.h"

namespace edgegate {
namespace {

constexpr size_t kMaxHost = 255;

bool IsUriChar(char c) {
  return c != '\0' && (IsDigit(c) || IsAlpha(c) ||
                       std::string_view("-._~!$&'()*+,;=:@/?%").find(c) != std::string_view::npos);
}

// Decodes percent-encoding. False: an invalid encoding or a NUL.
bool Decode(std::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = HexValue(text[i + 1]), low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      if (c == '\0') return false;
      i += 2;
    }
    out->push_back(c);
  }
  return true;
}

bool IsIpv6(std::string_view text) {
  in6_addr address;
  return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

bool IsName(std::string_view text) {
  if (text.empty() || text.size() > kMaxHost || text.front() == '.') return false;
  for (char c : text) {
    if (!IsDigit(c) && !IsAlpha(c) && c != '-' && c != '.' && c != '_') return false;
  }
  return text.find("..") == std::string_view::npos;
}

std::optional<int> ParsePort(std::string_view text) {
  int port = 0;
  if (text.empty() || text.size() > 5) return std::nullopt;
  for (char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    port = port * 10 + (c - '0');
  }
  if (port > 65535) return std::nullopt;
  return port;
}

// Returns "://" and the text after it. Empty: `target` is not in absolute form.
std::string_view AfterScheme(std::string_view target) {
  for (const char* scheme : {"http://", "https://"}) {
    const std::string_view prefix(scheme);
    if (Lower(target.substr(0, prefix.size())) == prefix) return target.substr(prefix.size());
  }
  return {};
}

}  // namespace

std::optional<Authority> ParseAuthority(std::string_view text) {
  Authority out;
  size_t end;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos || !IsIpv6(text.substr(1, close - 1))) return std::nullopt;
    end = close + 1;
  } else {
    end = std::min(text.find(':'), text.size());
    if (!IsName(text.substr(0, end))) return std::nullopt;
  }
  out.host = Lower(text.substr(0, end));
  if (out.host.ends_with('.')) out.host.pop_back();
  if (end == text.size()) return out;
  const auto port = ParsePort(text.substr(end + 1));
  if (text[end] != ':' || !port) return std::nullopt;
  out.port = *port;
  return out;
}

std::optional<RequestTarget> ParseTarget(std::string_view method, std::string_view target) {
  RequestTarget out;
  if (target == "*") {
    if (method != "OPTIONS") return std::nullopt;
    out.path = "*";
    return out;
  }
  if (!target.starts_with('/')) {
    const std::string_view rest = AfterScheme(target);
    const size_t end = std::min(rest.find_first_of("/?"), rest.size());
    out.authority = ParseAuthority(rest.substr(0, end));
    if (!out.authority) return std::nullopt;
    target = rest.substr(end);
  }
  for (char c : target) {
    if (!IsUriChar(c)) return std::nullopt;
  }
  const size_t question = std::min(target.find('?'), target.size());
  std::string decoded_query;
  if (!Decode(target.substr(0, question), &out.path)) return std::nullopt;
  if (question < target.size()) out.query = target.substr(question + 1);
  if (!Decode(out.query, &decoded_query)) return std::nullopt;
  if (out.path.empty()) out.path = "/";
  return out;
}

std::optional<std::string> QueryParameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) != name) continue;
    std::string value(pair.substr(std::min(equals + 1, pair.size())));
    std::replace(value.begin(), value.end(), '+', ' ');
    std::string decoded;
    if (!Decode(value, &decoded)) return std::nullopt;
    return decoded;
  }
  return std::nullopt;
}

std::string FormatAuthority(const Authority& authority, int default_port) {
  if (authority.port < 0 || authority.port == default_port) return authority.host;
  return authority.host + ":" + std::to_string(authority.port);
}

}  // namespace edgegate
