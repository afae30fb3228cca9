// What cpp-httplib leaves open: a thread and a stream for each connection, with bounds on how long
// a request may take to arrive, and a look at whether the client is still there.
#pragma once

#include <httplib.h>

#include <chrono>
#include <functional>

#include "engine/base/mutex.h"

namespace edgegate {

// Runs each connection on a thread of its own, since a stream holds its thread for long; past the
// limit, connections wait for one to end. Provides its own synchronization.
class ConnectionThreads : public httplib::TaskQueue {
 public:
  explicit ConnectionThreads(int limit) : limit_(limit) {}
  // The return type differs between versions of httplib.
  using EnqueueResult =
      decltype(std::declval<httplib::TaskQueue>().enqueue(std::function<void()>()));
  EnqueueResult enqueue(std::function<void()> connection) override;
  void shutdown() override;

 private:
  const int limit_;
  Mutex mutex_;
  CondVar changed_;
  int running_ EG_GUARDED_BY(mutex_) = 0;
};

struct ConnectionLimits {
  std::chrono::seconds headers;  // for a request's line and headers, from its first byte
  std::chrono::seconds body;     // for all of its body
  std::chrono::seconds pause;    // without a byte of it
  std::chrono::seconds write;    // until the client takes a byte of the answer
  std::chrono::seconds idle;     // between two requests
};

// One client's socket. Owned by its connection's thread.
class Connection : public httplib::Stream {
 public:
  // Closes `socket` at the end.
  Connection(int socket, const ConnectionLimits& limits);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The connection that the calling thread serves; null: none.
  static Connection* Current();

  // Waits for the first byte of a request. False: the client left or stayed silent for too long, or
  // `stopping` said so.
  bool WaitForRequest(const std::function<bool()>& stopping);
  // The request's headers are read: its body's time begins.
  void HeadersRead();
  // Whether the request did not arrive in time.
  bool late() const { return late_; }
  // Whether the client has closed its end.
  bool gone() const;

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& address, int& port) const override;
  void get_local_ip_and_port(std::string& address, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  using Clock = std::chrono::steady_clock;

  const int socket_;
  const ConnectionLimits limits_;
  Clock::time_point deadline_;
  bool late_ = false;
  char buffer_[4096];  // httplib reads headers byte by byte
  size_t begin_ = 0, end_ = 0;
};

// An httplib server whose connections are those above.
class ConnectionServer : public httplib::Server {
 public:
  // Before listening.
  void SetLimits(const ConnectionLimits& limits) { limits_ = limits; }
  // Gives the listening socket the queue that httplib fixes at 5.
  void WidenBacklog();

 private:
  bool process_and_close_socket(socket_t socket) override;

  ConnectionLimits limits_{};
};

}  // namespace edgegate
