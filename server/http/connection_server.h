// Accepts connections and gives each a thread. httplib's own listener and queue are not used: the
// listener shares its port with other processes, and slow clients block others in the queue.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/status.h"
#include "server/http/connection.h"
#include "server/http/connection_table.h"
#include "server/http/http_error.h"
#include "server/http/listen_socket.h"

namespace edgegate {

// Stop() may be called from any thread. All other methods are called from one thread.
class ConnectionServer {
 public:
  // Serves the connection's next request, on the connection's thread. `is_last` is called when the
  // request's head is read; true: the connection closes after the answer. Returns false if the
  // connection ends.
  using ServeNext = std::function<bool(Connection&, const std::function<bool()>& is_last)>;

  ConnectionServer();
  ~ConnectionServer();
  ConnectionServer(const ConnectionServer&) = delete;
  ConnectionServer& operator=(const ConnectionServer&) = delete;

  // Call it before Run(). `error_body` writes errors until the route is known.
  void Configure(const ConnectionLimits& limits, const TableLimits& table, ErrorBody error_body,
                 ServeNext serve);
  // Listens on the address. kUnavailable: the address cannot be had.
  Status Open(const std::string& host, int port);
  int bound_port() const { return socket_.port(); }

  // Serves in the calling thread until Stop() is called. Returns at once if Stop() was called
  // before. All connections are closed when it returns.
  void Run();
  // Ends connections without a running request. The others get some seconds for their answers.
  void Stop();

 private:
  void Accept();
  void Start(int fd, const std::string& address);
  void Serve(ConnectionTable::Entry* entry);

  ConnectionLimits limits_{};
  std::unique_ptr<ConnectionTable> table_;
  ErrorBody error_body_ = nullptr;
  ServeNext serve_;
  ListenSocket socket_;
  int wake_ = -1;  // an eventfd: Stop() was called
  std::atomic<bool> stopping_{false};
};

}  // namespace edgegate
