#include "server/http/dispatcher.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <exception>
#include <new>
#include <string>

#include "server/http/exchange.h"

namespace edgegate {
namespace {

// httplib streams only while its listening socket is set. The value is not used.
constexpr socket_t kAnySocket = 0;

// Callback of httplib's process_request(). Its other arguments differ between versions.
using SetUp = std::function<void(httplib::Request&)>;
using Process = bool (httplib::Server::*)(httplib::Stream&, bool, bool&, const SetUp&);
using ProcessAddressed = bool (httplib::Server::*)(httplib::Stream&, const std::string&, int,
                                                   const std::string&, int, bool, bool&,
                                                   const SetUp&);

[[maybe_unused]] bool ProcessRequest(httplib::Server* server, Process process,
                                     Connection& connection, bool& closed) {
  return (server->*process)(connection, false, closed, nullptr);
}

[[maybe_unused]] bool ProcessRequest(httplib::Server* server, ProcessAddressed process,
                                     Connection& connection, bool& closed) {
  return (server->*process)(connection, "", 0, "", 0, false, closed, nullptr);
}

// Returns the path without characters that could forge a line of the log.
std::string Printable(const std::string& path) {
  constexpr size_t kMost = 200;
  std::string text = path.substr(0, kMost);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  }
  return text;
}

// Writes one line of the access log. `route`: null if the request was refused.
void LogRequest(const Connection& connection, const Route* route, int status) {
  const bool quiet = route != nullptr && route->scope == Scope::kPublic;
  spdlog::log(quiet ? spdlog::level::debug : spdlog::level::info, "{} {} {} {:.1f} ms, {}, {}{}{}",
              connection.head().method,
              route != nullptr ? route->path : Printable(connection.head().path), status,
              std::chrono::duration<double, std::milli>(connection.age()).count(),
              connection.caller().client, connection.request_id(),
              connection.log_note().empty() ? "" : ", ", connection.log_note());
}

// Answers a request whose handler threw an exception. The exception is logged and not sent to the
// client.
void AnswerException(const httplib::Request&, httplib::Response& res,
                     const std::exception_ptr& failure) {
  HttpError error{500, "internal error", "", "internal_error"};
  std::string what = "unknown";
  try {
    std::rethrow_exception(failure);
  } catch (const std::bad_alloc&) {
    what = "out of memory";
    error = {503, "the server has no memory for this request", "", "unavailable"};
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  Connection* connection = Connection::Current();
  spdlog::error("{} {}: {}", connection->head().method, Printable(connection->head().path), what);
  Exchange(connection, &res).Fail(error);
}

}  // namespace

Dispatcher::Dispatcher(const Gate* gate) : gate_(gate) {
  svr_sock_ = kAnySocket;
  // The gate routes requests. httplib matches paths by std::regex, which recurses for each
  // character of a path.
  const auto handle = [](const httplib::Request&, httplib::Response& res) {
    Connection* connection = Connection::Current();
    Exchange exchange(connection, &res);
    connection->route()->handle(exchange);
  };
  Get("/", handle);
  Post("/", handle);
  Delete("/", handle);
  set_exception_handler(AnswerException);
  set_post_routing_handler([](const httplib::Request&, httplib::Response& res) {
    Connection& connection = *Connection::Current();
    connection.set_status(res.status);
    for (const char* unwanted : {"Keep-Alive", "Accept-Ranges", "Connection"}) {
      res.headers.erase(unwanted);
    }
    // httplib writes a length of 0, but only the length of the 200 is allowed (RFC 9110, 8.6).
    if (res.status == 304) res.headers.erase("Content-Length");
    for (const auto& [name, value] : connection.CommonFields()) res.set_header(name, value);
  });
}

bool Dispatcher::Serve(Connection& connection, const std::function<bool()>& is_last) {
  if (!connection.ReadHead()) {
    connection.Close();
    if (connection.error() &&
        connection.Write(MakeShortAnswer(*connection.error(), connection.error_body()))) {
      connection.Linger();
    }
    return false;
  }
  if (is_last()) connection.Close();
  const GateResult gate = gate_->Check(connection);
  const bool sent = gate.answer ? connection.Write(*gate.answer) : Answer(connection, *gate.route);
  LogRequest(connection, gate.route, gate.answer ? gate.answer->status : connection.status());
  if (!sent) return false;
  if (connection.closing()) connection.Linger();
  return !connection.closing();
}

bool Dispatcher::Answer(Connection& connection, const Route& route) {
  bool closed = false;
  connection.set_route(&route);
  return connection.BeginAnswer() &&
         ProcessRequest(this, &Dispatcher::process_request, connection, closed);
}

}  // namespace edgegate
