// Fetches images by http(s) from hosts that the settings list. A request must not become a way to
// reach hosts that only the gateway can reach.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/base/status.h"

struct sockaddr;

namespace edgegate {

struct FetchOptions {
  // Names, or "*.name" for all below. Empty: nothing is fetched.
  std::vector<std::string> allowed_hosts;
  // Those of them that may resolve to a private, link-local or loopback address.
  std::vector<std::string> allowed_private_hosts;
  size_t max_bytes = size_t{16} << 20;
  int timeout_s = 15;  // for all of it
  int max_redirects = 3;
};

// The body of the answer. Redirects are followed to allowed hosts only, the address is checked once
// it is known, at the connection itself, and proxies, cookies and credentials are not used.
// kInvalidArgument with what is wrong. Thread-safe.
// `cancelled`, which may be null, is asked about once a second and at each piece of data; true ends
// the transfer with kCancelled.
Result<std::string> FetchImage(const std::string& url, const FetchOptions& options,
                               const std::function<bool()>& cancelled = nullptr);

// True where a host, in lower case, matches one of the patterns.
bool HostMatches(const std::string& host, const std::vector<std::string>& patterns);

// True where the address is a public one: outside of all ranges that IANA's registries of
// special-purpose addresses set aside (RFC 6890).
bool IsPublicAddress(const sockaddr* address);

}  // namespace edgegate
