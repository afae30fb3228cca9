#include "server/http/server.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/http/connection_server.h"
#include "server/http/dispatcher.h"

namespace edgegate {

struct HttpServer::Parts {
  std::string host;
  int port;
  AccessRules rules;
  Router router;
  Gate gate;
  Dispatcher dispatcher;
  ConnectionServer connections;

  Parts(const HttpOptions& options, AccessRules r, Router routes, Gate::Availability availability)
      : host(options.host),
        port(options.port),
        rules(std::move(r)),
        router(std::move(routes)),
        gate(&router, &rules, options.max_body_bytes, std::move(availability)),
        dispatcher(&gate) {}
};

HttpServer::HttpServer(const HttpOptions& options, AccessRules rules, Router router,
                       Gate::Availability availability)
    : parts_(std::make_unique<Parts>(options, std::move(rules), std::move(router),
                                     std::move(availability))) {
  using std::chrono::seconds;
  ConnectionLimits limits{.headers = seconds(options.read_timeout_s),
                          .body = seconds(options.body_timeout_s),
                          .pause = seconds(options.read_timeout_s),
                          .write = seconds(options.write_timeout_s),
                          .idle = seconds(options.read_timeout_s),
                          .head = {},
                          .request_body = {}};
  limits.request_body.body_bytes = options.max_body_bytes;
  TableLimits table;
  table.connections = options.max_connections;
  table.per_address = options.max_connections_per_address > 0
                          ? options.max_connections_per_address
                          : std::max(1, options.max_connections / 2);
  parts_->connections.Configure(
      limits, table, parts_->router.error_body(),
      [parts = parts_.get()](Connection& connection, const auto& is_last) {
        return parts->dispatcher.Serve(connection, is_last);
      });
}

HttpServer::~HttpServer() = default;

Status HttpServer::Bind() { return parts_->connections.Open(parts_->host, parts_->port); }

int HttpServer::port() const { return parts_->connections.bound_port(); }

void HttpServer::Run() { parts_->connections.Run(); }

void HttpServer::Stop() { parts_->connections.Stop(); }

}  // namespace edgegate
