// The HTTP server: a listener, the checks before routing, and the routes. This folder alone
// includes httplib. It knows no protocol of the API and no model.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "engine/base/status.h"
#include "server/access/access_rules.h"
#include "server/http/gate.h"
#include "server/http/router.h"

namespace edgegate {

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 8089;  // 0: any free one
  size_t max_body_bytes = size_t{16} << 20;
  int max_connections = 512;
  int max_connections_per_address = 0;  // 0: half of max_connections
  int body_timeout_s = 120;
  int read_timeout_s = 15;
  int write_timeout_s = 15;
};

// Provides its own synchronization.
class HttpServer {
 public:
  // `availability`: see Gate.
  HttpServer(const HttpOptions& options, AccessRules rules, Router router,
             Gate::Availability availability);
  ~HttpServer();

  // Listens on the address. kUnavailable: the address cannot be had.
  Status Bind();
  int port() const;

  // Serves in the calling thread until Stop() is called.
  void Run();
  // Ends Run(), also if it begins after this call. Connections that wait for a request end at once.
  // The others get some seconds for their answers.
  void Stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace edgegate
