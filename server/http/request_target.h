// Request targets and authorities (RFC 9112, 3.2; RFC 3986).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace edgegate {

// "name[:port]" of a Host field or of an absolute target.
struct Authority {
  std::string host;  // lower case, IPv6 literals with their brackets, without a dot at the end
  int port = -1;     // -1: none
};

// nullopt: not a valid authority, empty, or one with user information.
std::optional<Authority> ParseAuthority(std::string_view text);

struct RequestTarget {
  std::string path;                    // percent-decoded; "*" for the asterisk form
  std::string query;                   // as sent
  std::optional<Authority> authority;  // of the absolute form
};

// Origin form, absolute form (http or https), or "*" for OPTIONS. nullopt: anything else, an
// invalid percent-encoding, a character that a URI may not hold, or a NUL.
std::optional<RequestTarget> ParseTarget(std::string_view method, std::string_view target);

// "name:port", or "name" where there is no port or it is the scheme's default, 80 for http.
std::string FormatAuthority(const Authority& authority, int default_port);

}  // namespace edgegate
