// Asks the kernel about a peer that is a process of this machine.
#pragma once

namespace edgegate {

enum class LocalPeer {
  kOpen,     // a process holds the peer's socket
  kClosed,   // no process does
  kUnknown,  // the peer is elsewhere, or the kernel does not tell
};

// Looks the other end of a connected TCP socket up among this network namespace's sockets
// (sock_diag). Tells a client that has closed its socket from one that has only ended its sending
// half, which look the same from the connection. Any thread may call it.
LocalPeer FindLocalPeer(int socket);

}  // namespace edgegate
