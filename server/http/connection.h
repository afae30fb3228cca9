// One client's socket. Reads requests strictly and within time limits, and detects that the client
// has left. Presents one fixed request line and no body to httplib.
#pragma once

#include <httplib.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "server/access/caller.h"
#include "server/http/answer_fields.h"
#include "server/http/body_decoder.h"
#include "server/http/connection_table.h"
#include "server/http/http_error.h"
#include "server/http/request_head.h"

namespace edgegate {

struct ConnectionLimits {
  std::chrono::seconds headers;  // for a request's line and headers, from its first byte
  std::chrono::seconds body;     // for the whole body
  std::chrono::seconds pause;    // between two bytes of the body
  std::chrono::seconds write;    // until the client takes a byte of the answer
  std::chrono::seconds idle;     // between two requests
  HeadLimits head;
  BodyLimits request_body;
  // Asks the kernel about peers on this machine. Tests turn it off to act as remote peers.
  bool find_local_peers = true;
};

struct Route;

// An answer that is not written by httplib: a refusal, or an answer without a body.
struct ShortAnswer {
  int status = 204;
  HeaderList headers;
  std::string body;  // JSON
};

// Makes the answer for an error, with the header fields that its status needs: Retry-After,
// WWW-Authenticate.
ShortAnswer MakeShortAnswer(const HttpError& error, ErrorBody body);

// Owned by its connection's thread. No other thread may call it.
class Connection : public httplib::Stream {
 public:
  // Charges memory for a body before it is allocated. `bytes` is the total so far. An error is the
  // answer to the client.
  using Reserve = std::function<std::optional<HttpError>(size_t bytes)>;

  // `entry` is in `table`. Both must outlive the connection. The connection does not close the
  // socket. `error_body` writes errors until the route is known.
  Connection(ConnectionTable* table, ConnectionTable::Entry* entry, const ConnectionLimits& limits,
             ErrorBody default_error_body);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Returns the connection that the calling thread serves. Null: none.
  static Connection* Current();

  // Reads the next request's head. False: there is none; error() has the answer, if one must be
  // sent.
  bool ReadHead();
  const std::optional<HttpError>& error() const { return error_; }
  // Valid after ReadHead().
  const RequestHead& head() const { return head_; }

  // Reads the request's body into `body`. Call it once. An error is the answer to the client: 400,
  // 408, 413, 431 or the error of `reserve`. The connection closes after it. `reserve` may be
  // empty.
  std::optional<HttpError> ReadBody(std::string* body, const Reserve& reserve = {});

  // True if the client has left. A reset is detected at once. A client that has only ended its
  // sending half may still wait for its answer. It looks the same as a client that closed its
  // socket. If the client is on this machine, the kernel is asked. Otherwise, after `patience`, a
  // few bytes are sent; a closed socket replies with a reset. Before the answer has begun, these
  // bytes are the interim answer "100 Continue". Later `probe` writes them, if it is set. HTTP/1.0
  // has no interim answers: such a client counts as gone after 2 s. Up to 64 KiB that the client
  // sends meanwhile are kept as its next requests. Call it often. It does not wait.
  bool gone(std::chrono::milliseconds patience, const std::function<void()>& probe = {});

  // Gives httplib a request line for "/" without a body. Call it before httplib serves the request.
  // False: the slot was given away.
  bool BeginAnswer();
  // Closes the connection after this answer.
  void Close() { closing_ = true; }
  bool closing() const { return closing_ || !head_.keep_alive || !body_done(); }
  // Returns the header fields of every answer to this request.
  HeaderList CommonFields() const;
  // Writes an answer with the common fields.
  bool Write(const ShortAnswer& answer);
  // Reads and drops what the client still sends, for a limited time. So the client can read the
  // last answer before the socket is closed.
  void Linger();

  // The function that writes the errors of this request.
  ErrorBody error_body() const { return error_body_; }
  // The part of the path that matched the route's parameter.
  const std::string& parameter() const { return parameter_; }
  void set_path_facts(ErrorBody body, std::string parameter) {
    error_body_ = body;
    parameter_ = std::move(parameter);
  }
  // The route that answers the request; null: none.
  const Route* route() const { return route_; }
  void set_route(const Route* route) { route_ = route; }
  // Names the request in the answer and in the log. Empty before the first head is read.
  const std::string& request_id() const { return request_id_; }
  // The time since the request's head was read.
  std::chrono::steady_clock::duration age() const { return Clock::now() - began_; }
  // The text of the access log about the answer, such as the number of tokens.
  const std::string& log_note() const { return log_note_; }
  void set_log_note(std::string note) { log_note_ = std::move(note); }
  // Status of the answer that httplib wrote.
  int status() const { return status_; }
  void set_status(int status) { status_ = status; }

  const Caller& caller() const { return caller_; }
  void set_caller(Caller caller) { caller_ = std::move(caller); }
  // The part of the address that identifies the client.
  const std::string& address() const { return entry_->address; }
  // True if the connection has a reserve slot.
  bool reserve() const { return entry_->reserve; }
  // The origin of the page that may read the answer. Empty: the origin is not in
  // server.allowed_origins.
  const std::string& listed_origin() const { return listed_origin_; }
  void set_listed_origin(std::string origin) { listed_origin_ = std::move(origin); }

  bool is_readable() const override { return line_at_ < line_.size(); }
  bool is_writable() const override { return true; }  // write() waits for room
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& address, int& port) const override;
  void get_local_ip_and_port(std::string& address, int& port) const override;
  // httplib only checks that the descriptor is below FD_SETSIZE.
  socket_t socket() const override { return 0; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Input { kBytes, kEnd, kLate };

  // Waits for bytes until `deadline` and takes them into input_.
  Input Fill(Clock::time_point deadline);
  // Reads the bytes that have come. Does not wait.
  void TakeExtra();
  bool body_done() const { return body_read_ || !head_.has_body(); }
  HttpError Evicted() const;
  std::optional<HttpError> FailBody(HttpError error);

  ConnectionTable* const table_;
  ConnectionTable::Entry* const entry_;
  const int socket_;
  const ConnectionLimits limits_;
  const ErrorBody default_error_body_;
  ErrorBody error_body_;
  std::string parameter_;
  const Route* route_ = nullptr;
  int status_ = 0;
  Caller caller_;
  RequestHead head_;
  std::optional<HttpError> error_;
  std::string listed_origin_;
  std::string request_id_;
  std::string log_note_;
  Clock::time_point began_;
  std::string input_;  // read and not yet consumed
  std::string line_;   // the request line that httplib reads
  size_t line_at_ = 0;
  bool body_read_ = false;
  bool closing_ = false;
  bool answered_ = false;  // a byte of the answer is written
  bool dropped_ = false;   // bytes behind the request were dropped
  std::optional<Clock::time_point> end_seen_;
  std::optional<Clock::time_point> probed_;
};

}  // namespace edgegate
