// The sender of a request.
#pragma once

#include <string>

struct sockaddr;

namespace edgegate {

struct Caller {
  // ID of the API key (ApiKeys). Empty where no keys are configured. Cached work is shared only
  // among requests of one tenant.
  std::string tenant;
  // The client whose share of the slots and the queue a request takes: the tenant where keys are
  // configured, else the address as ClientAddress() gives it.
  std::string client;
};

// The part of a peer's address that stands for one client: an IPv4 address, or the /64 network of
// an IPv6 address, since a host picks the rest as it likes. "?" for other families.
std::string ClientAddress(const sockaddr* address);

}  // namespace edgegate
