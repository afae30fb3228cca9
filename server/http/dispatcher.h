// Serves the requests of a connection: reads a head, calls the gate to check it, and calls the
// route to answer. httplib only writes the answers. It gets one fixed request line and no body,
// because its reader has no limits on a request's line and headers, and does not frame strictly.
#pragma once

#include <httplib.h>

#include <functional>

#include "server/http/connection.h"
#include "server/http/gate.h"

namespace edgegate {

// Any thread may call Serve().
class Dispatcher : public httplib::Server {
 public:
  // `gate` and its router outlive the dispatcher.
  explicit Dispatcher(const Gate* gate);

  // Serves the connection's next request, and writes a line of the access log. Arguments and
  // result: see ConnectionServer::ServeNext.
  bool Serve(Connection& connection, const std::function<bool()>& is_last);

 private:
  // Calls the route to answer. False: the connection ends.
  bool Answer(Connection& connection, const Route& route);

  const Gate* const gate_;
};

}  // namespace edgegate
