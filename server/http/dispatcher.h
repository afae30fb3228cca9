// Serves the requests of a connection: reads a head, lets the gate check it, and lets the route
// answer. httplib writes the answers: it is given one request line and no body. Its reader has no
// limits on a request's line and headers, and does not frame strictly.
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

  // Serves the connection's next request, and writes a line of the access log. As
  // ConnectionServer::ServeNext.
  bool Serve(Connection& connection, const std::function<bool()>& is_last);

 private:
  // Lets the route answer. False: the connection ends.
  bool Answer(Connection& connection, const Route& route);

  const Gate* const gate_;
};

}  // namespace edgegate
