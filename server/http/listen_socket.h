// The listening socket.
#pragma once

#include <string>

#include "engine/base/status.h"

namespace edgegate {

// Owned by one thread.
class ListenSocket {
 public:
  ListenSocket() = default;
  ~ListenSocket() { Close(); }
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;

  // Listens on the first address of `host` (a name, an IPv4 or an IPv6 address; "::" takes IPv4
  // too) that can be had. Port 0: any free one. kUnavailable, with the system's reason, when
  // another process has the address or there is no such address.
  Status Open(const std::string& host, int port);
  void Close();

  int fd() const { return fd_; }
  int port() const { return port_; }

 private:
  int fd_ = -1;
  int port_ = 0;
};

}  // namespace edgegate
