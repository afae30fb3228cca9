// Accepts connections, gives each a thread, and serves their requests: our strict reader in front,
// httplib's dispatch and writing of answers behind. httplib's own listener, queue and reader are
// not used: they have no limits on a request's line and headers, and do not frame strictly.
#pragma once

#include <httplib.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/base/status.h"
#include "server/http/connection.h"
#include "server/http/connection_table.h"
#include "server/http/listen_socket.h"

namespace edgegate {

// What shall become of a request whose head is read.
struct GateResult {
  std::optional<ShortAnswer> answer;  // nullopt: httplib serves it
  std::string route;                  // the path that httplib's handlers are registered for
};

// Stop() may be called from any thread. All else from one.
class ConnectionServer : public httplib::Server {
 public:
  // Called on the connection's thread for each request.
  using Gate = std::function<GateResult(Connection&)>;

  ConnectionServer();
  ~ConnectionServer() override;

  // Before Run().
  void Configure(const ConnectionLimits& limits, const TableLimits& table, Gate gate);
  // Takes the address. kUnavailable when that fails.
  Status Open(const std::string& host, int port);
  int bound_port() const { return socket_.port(); }

  // Serves until Stop(), in the calling thread. Returns at once when Stop() came before. When it
  // returns, every connection is closed.
  void Run();
  // Ends connections that work on no request. The others get some seconds for their answers.
  void Stop();

 private:
  void Accept();
  void Start(int fd, const std::string& address);
  void Serve(ConnectionTable::Entry* entry);
  // False: the connection ends.
  bool ServeRequest(Connection& connection, bool last);

  ConnectionLimits limits_{};
  std::unique_ptr<ConnectionTable> table_;
  Gate gate_;
  ListenSocket socket_;
  int wake_ = -1;  // an eventfd: Stop() was called
  std::atomic<bool> stopping_{false};
};

}  // namespace edgegate
