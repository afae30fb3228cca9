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

// Parses an authority. nullopt: it is not valid, is empty, or has user information.
std::optional<Authority> ParseAuthority(std::string_view text);

struct RequestTarget {
  std::string path;                    // percent-decoded; "*" for the asterisk form
  std::string query;                   // as sent
  std::optional<Authority> authority;  // of the absolute form
};

// Parses a target in origin form, in absolute form (http or https), or "*" for OPTIONS. nullopt:
// another form, an invalid percent-encoding, a character that a URI may not contain, or a NUL.
std::optional<RequestTarget> ParseTarget(std::string_view method, std::string_view target);

// Returns the value of a query's parameter, decoded. A '+' is a blank. nullopt: there is no such
// parameter. Precondition: ParseTarget() returned the query.
std::optional<std::string> QueryParameter(std::string_view query, std::string_view name);

// Returns "name:port", or "name" if there is no port or it is `default_port` (80 for http).
std::string FormatAuthority(const Authority& authority, int default_port);

}  // namespace edgegate
