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

  // Listens on the first usable address of `host`, which is a name, an IPv4 or an IPv6 address.
  // "::" includes IPv4. Port 0: any free port. kUnavailable: another process has the address, or
  // this machine does not; the message has the system's reason.
  Status Open(const std::string& host, int port);
  void Close();

  int fd() const { return fd_; }
  int port() const { return port_; }

 private:
  int fd_ = -1;
  int port_ = 0;
};

}  // namespace edgegate
