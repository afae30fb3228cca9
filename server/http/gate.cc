// The checks that a request passes before its body is read.

#include <string_view>

#include "server/http/server_impl.h"
#include "server/http/syntax.h"

namespace edgegate {
namespace {

constexpr size_t kMaxQuoted = 200;
constexpr std::string_view kModels = "/v1/models/";

struct Route {
  const char* path;
  const char* methods;
};
constexpr Route kRoutes[] = {
    {"/health", "GET, HEAD, OPTIONS"},       {"/v1/models", "GET, HEAD, OPTIONS"},
    {"/v1/models/id", "GET, HEAD, OPTIONS"}, {"/v1/chat/completions", "POST, OPTIONS"},
    {"/v1/completions", "POST, OPTIONS"},
};

const Route* FindRoute(const std::string& path) {
  // One fixed path for httplib, whatever the model is called: it matches paths by std::regex, which
  // recurses for each character.
  const bool model = path.size() > kModels.size() && path.starts_with(kModels);
  const std::string_view wanted = model ? "/v1/models/id" : std::string_view(path);
  for (const Route& route : kRoutes) {
    if (wanted == route.path) return &route;
  }
  return nullptr;
}

bool Lists(std::string_view methods, const std::string& method) {
  while (!methods.empty()) {
    const size_t end = std::min(methods.find(','), methods.size());
    if (methods.substr(0, end) == method) return true;
    methods.remove_prefix(std::min(end + 2, methods.size()));
  }
  return false;
}

ShortAnswer Refuse(int status, std::string message, std::string code = "",
                   std::string type = "invalid_request_error") {
  return MakeShortAnswer({status, std::move(message), std::move(type), "", std::move(code)});
}

// What a client may be shown of what it sent.
std::string Quoted(const std::string& text) { return text.substr(0, kMaxQuoted); }

// The answer to a POST whose body cannot be taken; nullopt: it can.
std::optional<ShortAnswer> CheckBody(const RequestHead& head, uint64_t limit) {
  if (const std::string* type = head.Find("content-type")) {
    const std::string media = Lower(TrimBlanks(type->substr(0, type->find(';'))));
    if (media == "multipart/form-data") {
      return Refuse(415, "Invalid 'content-type': send the request as JSON (application/json).");
    }
  }
  if (const std::string* coding = head.Find("content-encoding")) {
    if (Lower(*coding) != "identity") {
      return Refuse(415, "Invalid 'content-encoding': send the body without compression.");
    }
  }
  if (!head.chunked && !head.content_length) {
    return Refuse(411, "The header field 'content-length' is missing.");
  }
  if (head.content_length.value_or(0) <= limit) return std::nullopt;
  return Refuse(413, fmt::format("The request body is too large: at most {} bytes are allowed "
                                 "(server.max_body_mb).",
                                 limit));
}

}  // namespace

GateResult HttpServer::Impl::Gate(Connection& connection) const {
  const RequestHead& head = connection.head();
  if (auto answer = CheckSite(connection)) return {std::move(answer), ""};
  const bool health = head.path == "/health";
  if (connection.reserve()) {
    connection.Close();
    if (!health) {
      return {Refuse(503,
                     "The server has too many connections (server.max_connections, "
                     "server.max_connections_per_address).",
                     "unavailable", "server_error"),
              ""};
    }
  }
  if (head.path == "*") return {ShortAnswer{204, {{"Allow", "GET, HEAD, POST, OPTIONS"}}, ""}, ""};
  if (auto answer = CheckKey(connection)) return {std::move(answer), ""};
  if (!health && draining) {
    return {MakeShortAnswer(FromStatus(Unavailable("the server is shutting down"))), ""};
  }
  if (!health && options.catalog->ready().empty()) {
    return {MakeShortAnswer(FromStatus(Unavailable("the models are still loading"))), ""};
  }
  const Route* route = FindRoute(head.path);
  if (route == nullptr) {
    return {Refuse(404, fmt::format("Unknown URL ({} {}).", head.method, Quoted(head.path))), ""};
  }
  if (!Lists(route->methods, head.method)) {
    ShortAnswer answer =
        Refuse(405, fmt::format("{} does not allow the method {}: use {}.", Quoted(head.path),
                                Quoted(head.method), route->methods));
    answer.headers.emplace_back("Allow", route->methods);
    return {std::move(answer), ""};
  }
  if (head.method == "OPTIONS") return {ShortAnswer{204, {{"Allow", route->methods}}, ""}, ""};
  if (head.method == "POST") {
    if (auto answer = CheckBody(head, options.max_body_bytes)) {
      connection.Close();  // what follows may be a body without a length
      return {std::move(answer), ""};
    }
  }
  return {std::nullopt, route->path};
}

std::optional<ShortAnswer> HttpServer::Impl::CheckSite(Connection& connection) const {
  const RequestHead& head = connection.head();
  // HTTP/1.0 knows no Host; browsers always send it.
  if (!head.host.empty() && !options.sites.AllowsHost(head.host)) {
    return Refuse(403,
                  fmt::format("This server does not answer to the host name '{}': list it in "
                              "server.allowed_hosts.",
                              Quoted(head.host)),
                  "host_not_allowed", "permission_error");
  }
  const std::string* origin = head.Find("origin");
  if (origin == nullptr) return std::nullopt;
  const SiteRules::Origin what = options.sites.Classify(*origin, head.host);
  if (what == SiteRules::Origin::kRefused) {
    return Refuse(403,
                  fmt::format("Pages of '{}' may not use this server: list the origin in "
                              "server.allowed_origins.",
                              Quoted(*origin)),
                  "origin_not_allowed", "permission_error");
  }
  if (what != SiteRules::Origin::kListed) return std::nullopt;
  connection.set_listed_origin(*origin);
  if (head.method != "OPTIONS" || head.Find("access-control-request-method") == nullptr) {
    return std::nullopt;
  }
  // A listed page may send what fields it likes: clients have many of their own.
  const std::string* fields = head.Find("access-control-request-headers");
  ShortAnswer answer{204,
                     {{"Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS"},
                      {"Access-Control-Allow-Headers",
                       fields != nullptr ? *fields : "Authorization, Content-Type"},
                      {"Access-Control-Max-Age", "600"}},
                     ""};
  if (head.Find("access-control-request-private-network") != nullptr) {
    answer.headers.emplace_back("Access-Control-Allow-Private-Network", "true");
  }
  return answer;
}

std::optional<ShortAnswer> HttpServer::Impl::CheckKey(Connection& connection) const {
  const RequestHead& head = connection.head();
  connection.set_caller({"", connection.address()});
  if (keys.empty() || head.path == "/health") return std::nullopt;
  const std::string* authorization = head.Find("authorization");
  const auto index = authorization != nullptr ? keys.Find(*authorization) : std::nullopt;
  if (!index) {
    return Refuse(401, "Incorrect API key provided.", "invalid_api_key", "authentication_error");
  }
  const std::string tenant = std::to_string(*index + 1);
  connection.set_caller({tenant, tenant});
  return std::nullopt;
}

}  // namespace edgegate
