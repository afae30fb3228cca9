#include "server/http/connection_server.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>

#include "server/access/caller.h"
#include "server/http/small_thread.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRequestsPerConnection = 1000;
constexpr auto kStopPatience = std::chrono::seconds(5);
constexpr auto kStopCheck = std::chrono::milliseconds(100);
// Pause after a failed accept(). Without a free descriptor or memory it would fail again at once.
constexpr auto kAcceptPause = std::chrono::milliseconds(20);
// Descriptors for other things than connections: models, libraries, worker processes.
constexpr rlim_t kOtherDescriptors = 256;

// Raises the limit of open files for `connections`, as far as the hard limit allows. Returns the
// number of connections that are possible.
int RaiseDescriptorLimit(int connections) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return connections;
  const rlim_t wanted = static_cast<rlim_t>(connections) + kOtherDescriptors;
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= wanted) return connections;
  const rlim_t left = limit.rlim_cur > kOtherDescriptors ? limit.rlim_cur - kOtherDescriptors : 1;
  spdlog::warn("the limit of open files is {}: at most {} connections", limit.rlim_cur, left);
  return static_cast<int>(left);
}

// Answers a client that there is no thread for it. Never waits.
void RefuseWithoutThread(int fd, ErrorBody error_body) {
  const std::string body = error_body(
      {503, "The server cannot start another thread for this connection.", "", "unavailable"});
  const std::string text = fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
  send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(fd, SHUT_WR);
  // If bytes are unread, close() sends a reset, and the client may lose the answer.
  char sink[4096];
  for (int i = 0; i < 16 && recv(fd, sink, sizeof sink, MSG_DONTWAIT) > 0; ++i) {
  }
}

}  // namespace

ConnectionServer::ConnectionServer() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

ConnectionServer::~ConnectionServer() {
  if (wake_ >= 0) close(wake_);
}

void ConnectionServer::Configure(const ConnectionLimits& limits, const TableLimits& table,
                                 ErrorBody error_body, ServeNext serve) {
  limits_ = limits;
  error_body_ = error_body;
  serve_ = std::move(serve);
  TableLimits possible = table;
  possible.connections =
      std::max(1, RaiseDescriptorLimit(table.connections + table.reserve) - table.reserve);
  table_ = std::make_unique<ConnectionTable>(possible);
}

Status ConnectionServer::Open(const std::string& host, int port) {
  if (wake_ < 0) return Unavailable("cannot create an eventfd: {}", std::strerror(errno));
  EG_RETURN_IF_ERROR(socket_.Open(host, port));
  return {};
}

void ConnectionServer::Run() {
  while (!stopping_) {
    pollfd ready[] = {{socket_.fd(), POLLIN, 0}, {wake_, POLLIN, 0}};
    if (poll(ready, 2, -1) < 0 && errno != EINTR) break;
    if (!stopping_ && ready[0].revents != 0) Accept();
  }
  socket_.Close();
  // Connections that still work become idle when their answer is written.
  const auto patience = Clock::now() + kStopPatience;
  do {
    table_->EvictAll(Clock::now() > patience);
  } while (!table_->WaitEmpty(Clock::now() + kStopCheck));
}

void ConnectionServer::Stop() {
  stopping_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
  table_->EvictAll(false);
}

void ConnectionServer::Accept() {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const int fd = accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC);
  if (fd >= 0) return Start(fd, ClientAddress(reinterpret_cast<const sockaddr*>(&peer)));
  if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return;
  if (table_->MakeRoom(Clock::now() + kAcceptPause)) return;
  pollfd stopped{wake_, POLLIN, 0};
  poll(&stopped, 1, static_cast<int>(kAcceptPause.count()));
}

void ConnectionServer::Start(int fd, const std::string& address) {
  ConnectionTable::Entry* entry = table_->Admit(fd, address);
  const auto start = [&] {
    try {
      return StartSmallThread([this, entry] { Serve(entry); });
    } catch (const std::bad_alloc&) {
      return false;
    }
  };
  if (start()) return;
  // A connection in the state kWorking is never evicted.
  table_->SetState(entry, ConnectionState::kWorking);
  // The thread of the evicted connection ends shortly after it has left the table.
  const bool room = table_->MakeRoom(Clock::now() + kAcceptPause);
  for (int tries = room ? 50 : 0; tries > 0; --tries) {
    if (start()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  RefuseWithoutThread(fd, error_body_);
  table_->Remove(entry);
}

void ConnectionServer::Serve(ConnectionTable::Entry* entry) {
  try {
    Connection connection(table_.get(), entry, limits_, error_body_);
    int left = kRequestsPerConnection;
    const auto is_last = [&] { return left == 1 || stopping_; };
    while (!stopping_ && serve_(connection, is_last)) --left;
  } catch (const std::exception& e) {
    spdlog::warn("a connection ends: {}", e.what());
  }
  table_->Remove(entry);
}

}  // namespace edgegate
