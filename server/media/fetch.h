// Fetches images and videos by http(s) from hosts that the settings list. A request must not become
// a way to reach hosts that only the gateway can reach.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/base/status.h"

struct sockaddr;

namespace edgegate {

struct FetchOptions {
  // Names, or "*.name" for all names below. Empty: nothing is fetched.
  std::vector<std::string> allowed_hosts;
  // Hosts of `allowed_hosts` that may resolve to a private, link-local or loopback address.
  std::vector<std::string> allowed_private_hosts;
  size_t max_bytes = size_t{16} << 20;
  int timeout_s = 15;  // for the whole transfer
  int max_redirects = 3;
};

// Returns the body of the answer. Redirects are followed to allowed hosts only. The address is
// checked when the connection is made. Proxies, cookies and credentials are not used.
// kInvalidArgument: the URL is not allowed or the transfer failed; the message has the reason.
// `cancelled` is called about once a second and for each piece of data; true ends the transfer with
// kCancelled. It may be null. Thread-safe.
Result<std::string> FetchImage(const std::string& url, const FetchOptions& options,
                               const std::function<bool()>& cancelled = nullptr);

// The same for a video.
Result<std::string> FetchVideo(const std::string& url, const FetchOptions& options,
                               const std::function<bool()>& cancelled = nullptr);

// True if a host, in lower case, matches one of the patterns.
bool HostMatches(const std::string& host, const std::vector<std::string>& patterns);

// True if the address is public: outside of all ranges in IANA's registries of special-purpose
// addresses (RFC 6890).
bool IsPublicAddress(const sockaddr* address);

}  // namespace edgegate
