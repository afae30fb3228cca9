#include "server/http/connection.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace edgegate {
namespace {

// The address of a socket's other end, as httplib writes it; false when it has none.
bool PeerOf(int fd, std::string* address, int* port) {
  sockaddr_storage storage;
  socklen_t size = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return false;
  char text[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    *port = ntohs(in->sin_port);
  } else if (storage.ss_family == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&storage);
    inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
    *port = ntohs(in->sin6_port);
  } else {
    return false;
  }
  *address = text;
  return true;
}

}  // namespace

ConnectionThreads::EnqueueResult ConnectionThreads::enqueue(std::function<void()> connection) {
  {
    MutexLock lock(mutex_);
    while (running_ >= limit_) changed_.Wait(mutex_);
    ++running_;
  }
  std::thread([this, run = std::move(connection)] {
    run();
    MutexLock lock(mutex_);
    --running_;
    changed_.NotifyAll();
  }).detach();
  return static_cast<EnqueueResult>(true);
}

void ConnectionThreads::shutdown() {
  MutexLock lock(mutex_);
  while (running_ > 0) changed_.Wait(mutex_);
}

// httplib hands out no socket, so it is sought among our own by its other end, which is unique.
ClientWatch::ClientWatch(const httplib::Request& request) {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return;
  while (const dirent* entry = readdir(directory)) {
    const int fd = std::atoi(entry->d_name);
    std::string address;
    int port = 0;
    if (fd <= 2 || !PeerOf(fd, &address, &port)) continue;
    if (port == request.remote_port && address == request.remote_addr) socket_ = fd;
  }
  closedir(directory);
}

bool ClientWatch::gone() const {
  if (socket_ < 0) return false;
  char byte;
  const ssize_t n = recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace edgegate
