#include "server/access/caller.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace edgegate {

std::string ClientAddress(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address->sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof in);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    return text;
  }
  if (address->sa_family != AF_INET6) return "?";
  sockaddr_in6 in;
  std::memcpy(&in, address, sizeof in);
  if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
    inet_ntop(AF_INET, in.sin6_addr.s6_addr + 12, text, sizeof text);
    return text;
  }
  std::memset(in.sin6_addr.s6_addr + 8, 0, 8);
  inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
  return std::string(text) + "/64";
}

}  // namespace edgegate
