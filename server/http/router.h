// The routes of the server. This one table is used to route requests, to refuse methods, to write
// the API's description and to log requests.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/http_error.h"

namespace edgegate {

class Exchange;

// The clients that may use a route, and the times at which they may.
enum class Scope {
  kApi,     // with an API key where keys are configured, once a model is loaded, until the daemon
            // drains
  kPublic,  // anybody who may use the daemon, always
};

struct Route {
  std::string method;  // "GET", which answers HEAD too, "POST" or "DELETE"
  // The exact path, or a path with a parameter such as "{model}". A parameter matches the whole
  // rest of the path, except for the text that follows the parameter here. Of two such paths, the
  // one with the longer text behind its parameter is matched.
  std::string path;
  Scope scope = Scope::kApi;
  std::string summary;             // one line, for the API's description
  std::string_view api = {};       // name of the file with the schemas of the endpoint
  ErrorBody error_body = nullptr;  // writes errors of this route
  // Answers a request. Runs on the connection's thread. Several threads may call it at once.
  std::function<void(Exchange&)> handle;
};

// Immutable after it is passed to the server: any thread may call the const methods.
class Router {
 public:
  // `body` writes errors of requests that match no route.
  explicit Router(ErrorBody body) : error_body_(body) {}

  // Adds a route. Precondition: there is no route with this method and path.
  void Add(Route route);
  // Makes the paths that begin with `from` mean those that begin with `to`. `from` may end with
  // "/{name}": one segment of the path, which becomes the parameter if the route has none.
  void AddAlias(std::string from, std::string to);

  struct Match {
    std::vector<const Route*> routes;  // routes of the path, one for each method; empty: none
    std::string parameter;             // the part that matched the path's parameter; empty: none
    // Returns the routes' methods, HEAD and OPTIONS included, for the field Allow, such as "GET,
    // HEAD, OPTIONS".
    std::string Allow() const;
    // Returns the route for the method. Null: none.
    const Route* ForMethod(std::string_view method) const;
  };
  // Returns the routes of a path. One slash at its end is ignored.
  Match Find(std::string_view path) const;

  const std::vector<Route>& routes() const { return routes_; }
  ErrorBody error_body() const { return error_body_; }

 private:
  struct Alias {
    std::string from;
    std::string to;
  };
  Match FindExact(std::string_view path) const;

  ErrorBody error_body_;
  std::vector<Route> routes_;
  std::vector<Alias> aliases_;
};

}  // namespace edgegate
