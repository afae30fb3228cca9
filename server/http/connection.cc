#include "server/http/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <thread>

namespace edgegate {
namespace {

constexpr auto kStopCheck = std::chrono::milliseconds(200);
constexpr int kRequestsPerConnection = 1000;

thread_local Connection* current = nullptr;

using Lookup = int (*)(int, sockaddr*, socklen_t*);

void AddressOf(Lookup lookup, int fd, std::string& address, int& port) {
  sockaddr_storage storage;
  socklen_t size = sizeof storage;
  if (lookup(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return;
  char text[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    port = ntohs(in->sin_port);
  } else if (storage.ss_family == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&storage);
    inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
    port = ntohs(in->sin6_port);
  }
  address = text;
}

// httplib's own part of serving a request; its arguments differ between versions.
using SetUp = std::function<void(httplib::Request&)>;
using Process = bool (httplib::Server::*)(httplib::Stream&, bool, bool&, const SetUp&);
using ProcessAddressed = bool (httplib::Server::*)(httplib::Stream&, const std::string&, int,
                                                   const std::string&, int, bool, bool&,
                                                   const SetUp&);

[[maybe_unused]] bool ProcessRequest(httplib::Server* server, Process process,
                                     Connection& connection, bool last, bool& closed) {
  return (server->*process)(connection, last, closed, nullptr);
}

[[maybe_unused]] bool ProcessRequest(httplib::Server* server, ProcessAddressed process,
                                     Connection& connection, bool last, bool& closed) {
  std::string remote, local;
  int remote_port = 0, local_port = 0;
  connection.get_remote_ip_and_port(remote, remote_port);
  connection.get_local_ip_and_port(local, local_port);
  return (server->*process)(connection, remote, remote_port, local, local_port, last, closed,
                            nullptr);
}

// Whether `fd` is ready for `events` before `wait` passes.
bool Ready(int fd, short events, std::chrono::steady_clock::duration wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd one{fd, events, 0};
    const int n = poll(&one, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (n >= 0 || errno != EINTR) return n > 0;
  }
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

Connection::Connection(int socket, const ConnectionLimits& limits)
    : socket_(socket), limits_(limits) {
  current = this;
}

Connection::~Connection() {
  current = nullptr;
  shutdown(socket_, SHUT_RDWR);
  close(socket_);
}

Connection* Connection::Current() { return current; }

bool Connection::WaitForRequest(const std::function<bool()>& stopping) {
  const auto until = Clock::now() + limits_.idle;
  bool ready = begin_ < end_;
  while (!ready && !stopping() && Clock::now() < until) ready = Ready(socket_, POLLIN, kStopCheck);
  late_ = false;
  deadline_ = Clock::now() + limits_.headers;
  return ready && !gone();
}

void Connection::HeadersRead() { deadline_ = Clock::now() + limits_.body; }

bool Connection::gone() const {
  if (begin_ < end_) return false;
  char byte;
  const ssize_t n = recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool Connection::is_readable() const {
  return begin_ < end_ || Ready(socket_, POLLIN, limits_.pause);
}

// Writing waits for room itself.
bool Connection::is_writable() const { return !gone(); }

ssize_t Connection::read(char* data, size_t size) {
  if (begin_ == end_) {
    const auto left = deadline_ - Clock::now();
    const auto wait = std::min<Clock::duration>(left, limits_.pause);
    if (left <= Clock::duration::zero() || !Ready(socket_, POLLIN, wait)) {
      late_ = true;
      return -1;
    }
    if (size >= sizeof buffer_) return recv(socket_, data, size, 0);
    const ssize_t n = recv(socket_, buffer_, sizeof buffer_, 0);
    if (n <= 0) return n;
    begin_ = 0;
    end_ = static_cast<size_t>(n);
  }
  const size_t n = std::min(size, end_ - begin_);
  std::memcpy(data, buffer_ + begin_, n);
  begin_ += n;
  return static_cast<ssize_t>(n);
}

ssize_t Connection::write(const char* data, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = send(socket_, data + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      done += static_cast<size_t>(n);
      continue;
    }
    const bool full = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    if (!full || !Ready(socket_, POLLOUT, limits_.write)) return -1;
  }
  return static_cast<ssize_t>(size);
}

void Connection::get_remote_ip_and_port(std::string& address, int& port) const {
  AddressOf([](int fd, sockaddr* a, socklen_t* n) { return getpeername(fd, a, n); }, socket_,
            address, port);
}

void Connection::get_local_ip_and_port(std::string& address, int& port) const {
  AddressOf([](int fd, sockaddr* a, socklen_t* n) { return getsockname(fd, a, n); }, socket_,
            address, port);
}

void ConnectionServer::WidenBacklog() { ::listen(svr_sock_, 1024); }

bool ConnectionServer::process_and_close_socket(socket_t socket) {
  Connection connection(socket, limits_);
  auto stopping = [this] { return svr_sock_ == INVALID_SOCKET; };
  for (int left = kRequestsPerConnection; left > 0; --left) {
    if (!connection.WaitForRequest(stopping)) return true;
    bool closed = false;
    const bool served =
        ProcessRequest(this, &ConnectionServer::process_request, connection, left == 1, closed);
    if (!served || closed) return served;
  }
  return true;
}

}  // namespace edgegate
