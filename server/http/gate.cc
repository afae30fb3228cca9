#include "server/http/gate.h"

#include <string_view>
#include <utility>

#include "server/http/syntax.h"

namespace edgegate {
namespace {

constexpr size_t kMaxQuoted = 200;

ShortAnswer Refuse(const Connection& connection, int status, std::string message,
                   std::string code = "") {
  return MakeShortAnswer({status, std::move(message), "", std::move(code)},
                         connection.error_body());
}

// Cuts a text of the request to the length that an error message may quote.
std::string Quoted(const std::string& text) { return text.substr(0, kMaxQuoted); }

// Returns the API key of a request. Empty: it has none. Anthropic's clients send x-api-key, and
// Azure's send api-key.
std::string_view KeyOf(const RequestHead& head) {
  if (const std::string* authorization = head.Find("authorization")) {
    const std::string_view key = BearerKey(*authorization);
    if (!key.empty()) return key;
  }
  for (const char* name : {"x-api-key", "api-key"}) {
    const std::string* value = head.Find(name);
    if (value != nullptr && !TrimBlanks(*value).empty()) return TrimBlanks(*value);
  }
  return {};
}

// A page in server.allowed_origins may send any header fields, because clients define many.
ShortAnswer AnswerPreflight(const RequestHead& head) {
  const std::string* fields = head.Find("access-control-request-headers");
  ShortAnswer answer{204,
                     {{"Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE, OPTIONS"},
                      {"Access-Control-Allow-Headers",
                       fields != nullptr ? *fields : "Authorization, Content-Type"},
                      {"Access-Control-Max-Age", "600"}},
                     ""};
  if (head.Find("access-control-request-private-network") != nullptr) {
    answer.headers.emplace_back("Access-Control-Allow-Private-Network", "true");
  }
  return answer;
}

}  // namespace

Gate::Gate(const Router* router, const AccessRules* rules, uint64_t max_body_bytes,
           Availability availability)
    : router_(router),
      rules_(rules),
      max_body_bytes_(max_body_bytes),
      availability_(std::move(availability)) {}

GateResult Gate::Check(Connection& connection) const {
  const RequestHead& head = connection.head();
  Router::Match match = router_->Find(head.path);
  const Route* any = match.routes.empty() ? nullptr : match.routes[0];
  const Scope scope = any != nullptr ? any->scope : Scope::kApi;
  connection.set_path_facts(any != nullptr ? any->error_body : router_->error_body(),
                            std::move(match.parameter));
  if (auto answer = CheckSite(connection)) return {std::move(answer)};
  if (connection.reserve()) {
    connection.Close();
    if (scope != Scope::kPublic) {
      return {Refuse(connection, 503,
                     "The server has too many connections (server.max_connections, "
                     "server.max_connections_per_address).",
                     "unavailable")};
    }
  }
  if (head.path == "*")
    return {ShortAnswer{204, {{"Allow", "GET, HEAD, POST, DELETE, OPTIONS"}}, ""}};
  if (auto answer = CheckScope(connection, scope)) return {std::move(answer)};
  if (any == nullptr) {
    return {Refuse(connection, 404,
                   fmt::format("Unknown URL ({} {}).", head.method, Quoted(head.path)))};
  }
  if (head.method == "OPTIONS") return {ShortAnswer{204, {{"Allow", match.Allow()}}, ""}};
  const Route* route = match.ForMethod(head.method);
  if (route == nullptr) {
    const std::string allow = match.Allow();
    ShortAnswer answer = Refuse(connection, 405,
                                fmt::format("{} does not allow the method {}: use {}.",
                                            Quoted(head.path), Quoted(head.method), allow));
    answer.headers.emplace_back("Allow", allow);
    return {std::move(answer)};
  }
  if (head.method == "POST" || (head.method == "DELETE" && head.has_body())) {
    if (auto answer = CheckBody(connection)) {
      connection.Close();  // the next bytes may be a body of unknown length
      return {std::move(answer)};
    }
  }
  return {std::nullopt, route};
}

// Refuses a request whose Host or Origin is not allowed. Answers a preflight.
std::optional<ShortAnswer> Gate::CheckSite(Connection& connection) const {
  const RequestHead& head = connection.head();
  // HTTP/1.0 has no Host field. Browsers always send it.
  if (!head.host.empty() && !rules_->sites.AllowsHost(head.host)) {
    return Refuse(connection, 403,
                  fmt::format("This server does not answer to the host name '{}': list it in "
                              "server.allowed_hosts.",
                              Quoted(head.host)),
                  "host_not_allowed");
  }
  const std::string* origin = head.Find("origin");
  if (origin == nullptr) return std::nullopt;
  const SiteRules::Origin what = rules_->sites.Classify(*origin, head.host);
  if (what == SiteRules::Origin::kRefused) {
    return Refuse(connection, 403,
                  fmt::format("Pages of '{}' may not use this server: list the origin in "
                              "server.allowed_origins.",
                              Quoted(*origin)),
                  "origin_not_allowed");
  }
  if (what != SiteRules::Origin::kListed) return std::nullopt;
  connection.set_listed_origin(*origin);
  if (head.method != "OPTIONS" || head.Find("access-control-request-method") == nullptr) {
    return std::nullopt;
  }
  return AnswerPreflight(head);
}

// Sets the caller. Refuses a request without a valid key, and a request that comes while the API is
// not available.
std::optional<ShortAnswer> Gate::CheckScope(Connection& connection, Scope scope) const {
  connection.set_caller({"", connection.address()});
  if (scope == Scope::kPublic) return std::nullopt;
  if (!rules_->keys.empty()) {
    const std::string_view key = KeyOf(connection.head());
    if (key.empty()) {
      return Refuse(connection, 401,
                    "You didn't provide an API key. Send it in the header field 'Authorization: "
                    "Bearer KEY', 'x-api-key: KEY' or 'api-key: KEY'.",
                    "invalid_api_key");
    }
    const std::string* id = rules_->keys.Find(key);
    if (id == nullptr) {
      return Refuse(connection, 401, "Incorrect API key provided.", "invalid_api_key");
    }
    connection.set_caller({*id, *id});
  }
  const auto error = availability_();
  if (!error) return std::nullopt;
  return MakeShortAnswer(*error, connection.error_body());
}

// Refuses a POST, or a DELETE with a body, whose body has no length, a wrong type or encoding, or
// too many bytes.
std::optional<ShortAnswer> Gate::CheckBody(const Connection& connection) const {
  const RequestHead& head = connection.head();
  if (const std::string* type = head.Find("content-type")) {
    const std::string media = Lower(TrimBlanks(type->substr(0, type->find(';'))));
    if (media == "multipart/form-data") {
      return Refuse(connection, 415,
                    "Invalid 'content-type': send the request as JSON (application/json).");
    }
  }
  if (const std::string* coding = head.Find("content-encoding")) {
    if (Lower(*coding) != "identity") {
      return Refuse(connection, 415,
                    "Invalid 'content-encoding': send the body without compression.");
    }
  }
  if (!head.chunked && !head.content_length) {
    return Refuse(connection, 411, "The header field 'content-length' is missing.");
  }
  if (head.content_length.value_or(0) <= max_body_bytes_) return std::nullopt;
  return Refuse(connection, 413,
                fmt::format("The request body is too large: at most {} bytes are allowed "
                            "(server.max_body_mb).",
                            max_body_bytes_));
}

}  // namespace edgegate
