// The daemon's API: the endpoints over an HTTP server.
#pragma once

#include <atomic>

#include "engine/base/status.h"
#include "server/access/access_rules.h"
#include "server/api/services.h"
#include "server/http/server.h"

namespace edgegate {

// Provides its own synchronization.
class ApiServer {
 public:
  // The parts of `services` outlive the server. `services.draining` is the server's own.
  ApiServer(const HttpOptions& options, AccessRules rules, ApiServices services);

  // These methods forward to HttpServer. While no model is loaded, all requests except /health are
  // answered with 503.
  Status Bind() { return http_.Bind(); }
  int port() const { return http_.port(); }
  void Run() { http_.Run(); }
  void Stop() { http_.Stop(); }

  // From now on new requests are answered with 503. Running requests continue.
  void StartDraining() { draining_ = true; }

 private:
  std::optional<HttpError> Unavailability() const;

  std::atomic<bool> draining_{false};
  const ApiServices services_;
  HttpServer http_;
};

}  // namespace edgegate
