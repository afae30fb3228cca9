// Asks the kernel about a peer that is a process of this machine.
#pragma once

namespace edgegate {

enum class LocalPeer {
  kOpen,     // a process holds the peer's socket
  kClosed,   // no process does
  kUnknown,  // the peer is on another machine, or the kernel gives no answer
};

// Looks up the other end of a connected TCP socket among the sockets of this network namespace
// (sock_diag). A client that has closed its socket and a client that has only ended its sending
// half look the same from the connection. This function distinguishes them. Thread-safe.
LocalPeer FindLocalPeer(int socket);

}  // namespace edgegate
