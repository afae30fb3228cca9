#include "server/http/local_peer.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace edgegate {
namespace {

constexpr unsigned char kListen = 10;  // TCP_LISTEN of the kernel

// Copies the address and port of one end of a socket. False: it is not an internet address.
bool Fill(const sockaddr_storage& end, __be32 (&address)[4], __be16* port) {
  if (end.ss_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &end, sizeof in);
    std::memcpy(address, &in.sin_addr, sizeof in.sin_addr);
    *port = in.sin_port;
    return true;
  }
  if (end.ss_family != AF_INET6) return false;
  sockaddr_in6 in;
  std::memcpy(&in, &end, sizeof in);
  std::memcpy(address, &in.sin6_addr, sizeof in.sin6_addr);
  *port = in.sin6_port;
  return true;
}

struct Query {
  nlmsghdr header;
  inet_diag_req_v2 request;
};

bool MakeQuery(int socket, Query* query) {
  sockaddr_storage own{}, peer{};
  socklen_t own_size = sizeof own, peer_size = sizeof peer;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&own), &own_size) != 0 ||
      getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) {
    return false;
  }
  *query = {};
  query->header.nlmsg_len = sizeof *query;
  query->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  query->header.nlmsg_flags = NLM_F_REQUEST;
  query->request.sdiag_family = static_cast<__u8>(own.ss_family);
  query->request.sdiag_protocol = IPPROTO_TCP;
  query->request.idiag_states = ~0u;
  // The query is for the peer's socket. Its source is the other end of this socket.
  inet_diag_sockid& id = query->request.id;
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return Fill(peer, id.idiag_src, &id.idiag_sport) && Fill(own, id.idiag_dst, &id.idiag_dport);
}

}  // namespace

LocalPeer FindLocalPeer(int socket) {
  Query query;
  if (!MakeQuery(socket, &query)) return LocalPeer::kUnknown;
  const int fd = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return LocalPeer::kUnknown;
  alignas(nlmsghdr) char answer[1024];
  ssize_t size = send(fd, &query, sizeof query, 0);
  if (size > 0) size = recv(fd, answer, sizeof answer, MSG_DONTWAIT);  // the kernel answers at once
  close(fd);
  if (size < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg)))) return LocalPeer::kUnknown;
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return LocalPeer::kUnknown;
  inet_diag_msg found;
  std::memcpy(&found, NLMSG_DATA(header), sizeof found);
  if (found.idiag_state == kListen) return LocalPeer::kUnknown;
  return found.idiag_inode == 0 ? LocalPeer::kClosed : LocalPeer::kOpen;
}

}  // namespace edgegate
