// The interface of an endpoint to one request and its answer.
#pragma once

#include <httplib.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "server/access/caller.h"
#include "server/http/connection.h"
#include "server/http/http_error.h"
#include "server/http/router.h"

namespace edgegate {

// The sending side of a streamed answer. Owned by the connection's thread.
class StreamSink {
 public:
  StreamSink(Connection* connection, httplib::DataSink* sink)
      : connection_(connection), sink_(sink) {}

  // Sends `bytes`. False: the client has left. No effect if `bytes` is empty.
  bool Write(std::string_view bytes) {
    return bytes.empty() || sink_->write(bytes.data(), bytes.size());
  }

  // True if the client has left (see Connection::gone). `probe`: bytes that a client ignores.
  bool gone(std::chrono::milliseconds patience, std::string_view probe) {
    return connection_->gone(patience, [&] { Write(probe); });
  }

  // Adds what the access log tells about the answer.
  void Note(std::string note) { connection_->set_log_note(std::move(note)); }

 private:
  Connection* const connection_;
  httplib::DataSink* const sink_;
};

// Owned by the connection's thread. Lives while the route's handler runs.
class Exchange {
 public:
  Exchange(Connection* connection, httplib::Response* response)
      : connection_(*connection), response_(*response) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const RequestHead& head() const { return connection_.head(); }
  const Caller& caller() const { return connection_.caller(); }
  // The part of the path that matched the route's parameter.
  const std::string& parameter() const { return connection_.parameter(); }

  // Forwards to Connection::ReadBody().
  std::optional<HttpError> ReadBody(std::string* body, const Connection::Reserve& reserve) {
    return connection_.ReadBody(body, reserve);
  }
  bool gone(std::chrono::milliseconds patience) { return connection_.gone(patience); }

  // Adds what the access log tells about the answer.
  void Note(std::string note) { connection_.set_log_note(std::move(note)); }

  // Ends the connection without an answer.
  void Abandon() { connection_.Close(); }

  // Sets a header field of the answer, before it is given.
  void SetField(const char* name, const std::string& value) { response_.set_header(name, value); }

  // Answers with a body of the given type. Call exactly one of Answer(), AnswerNotModified(),
  // Fail() and Stream(), once.
  void Answer(const std::string& body, int status = 200, const char* type = kJsonType);
  // Answers 304: the client has the body. Set ETag and the fields of the 200 before (RFC
  // 9110, 15.4.5).
  void AnswerNotModified() { response_.status = 304; }
  // Answers with the error, in the shape of the route's protocol.
  void Fail(const HttpError& error);
  // Answers with a stream. `send` runs after the handler, on the same thread, and sends the whole
  // stream. It returns false if the client has left.
  void Stream(const char* type, std::function<bool(StreamSink&)> send);

 private:
  Connection& connection_;
  httplib::Response& response_;
};

}  // namespace edgegate
