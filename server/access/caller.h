// The sender of a request.
#pragma once

#include <string>

struct sockaddr;

namespace edgegate {

struct Caller {
  // ID of the API key (ApiKeys). Empty if no keys are configured. Cached work is shared only among
  // requests of one tenant.
  std::string tenant;
  // The client whose share of the slots and the queue a request takes: the tenant if keys are
  // configured, else the result of ClientAddress().
  std::string client;
};

// Returns the part of a peer's address that identifies a client: an IPv4 address, or the /64
// network of an IPv6 address, because a host may choose the other bits. "?" for other families.
std::string ClientAddress(const sockaddr* address);

}  // namespace edgegate
