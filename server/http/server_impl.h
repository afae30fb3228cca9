// What the parts of HttpServer share: server.cc has the routes, gate.cc the checks before them,
// generate.h the two endpoints that generate.
#pragma once

#include <httplib.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "server/access/api_keys.h"
#include "server/access/caller.h"
#include "server/http/connection_server.h"
#include "server/http/generate.h"
#include "server/http/server.h"
#include "server/openai/errors.h"

namespace edgegate {

struct HttpServer::Impl {
  explicit Impl(ServerOptions o) : options(std::move(o)), keys(options.api_keys) {}

  const ServerOptions options;
  const ApiKeys keys;
  ConnectionServer http;
  std::atomic<bool> draining{false};

  void Routes();
  void Health(httplib::Response& res) const;

  // Everything that can be told from a request's head, in this order: the host, the page, a
  // preflight, the slot, the key, readiness, the path, the method, the body's type and length.
  GateResult Gate(Connection& connection) const;
  // The answer to a request of a page or by a name that may not use the daemon, and to a preflight.
  std::optional<ShortAnswer> CheckSite(Connection& connection) const;
  // Sets the caller. The answer to a request without a valid key.
  std::optional<ShortAnswer> CheckKey(Connection& connection) const;

  GenerateOptions Generation() const;
};

}  // namespace edgegate
