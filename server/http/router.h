// The routes of the server: one table from which requests are routed, methods are refused, the
// API's description is written and requests are logged.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/http_error.h"

namespace edgegate {

class Exchange;

// Callers that may use a route, and the times at which they may.
enum class Scope {
  kApi,     // with an API key where keys are configured, once a model is loaded, until the daemon
            // drains
  kPublic,  // anybody who may use the daemon, always
};

struct Route {
  std::string method;  // "GET", which answers HEAD too, or "POST"
  // Exact, or with a last segment such as "{model}", which stands for all that follows.
  std::string path;
  Scope scope = Scope::kApi;
  std::string summary;             // one line, for the API's description
  ErrorBody error_body = nullptr;  // how errors of this route look
  // Answers a request. Runs on the connection's thread. Several requests at a time.
  std::function<void(Exchange&)> handle;
};

// Immutable once the server has it: any thread may call the const methods.
class Router {
 public:
  // `body`: how errors look that concern no route.
  explicit Router(ErrorBody body) : error_body_(body) {}

  // Precondition: there is no route of this method and path.
  void Add(Route route);

  struct Match {
    std::vector<const Route*> routes;  // of the path, one for each method; empty: none
    std::string parameter;             // what the path's last segment stands for; empty: no such
    // The routes' methods, HEAD and OPTIONS included, for the field Allow: "GET, HEAD, OPTIONS".
    std::string Allow() const;
    // The route that answers the method; null: none.
    const Route* ForMethod(std::string_view method) const;
  };
  Match Find(std::string_view path) const;

  const std::vector<Route>& routes() const { return routes_; }
  ErrorBody error_body() const { return error_body_; }

 private:
  ErrorBody error_body_;
  std::vector<Route> routes_;
};

}  // namespace edgegate
