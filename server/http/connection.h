// One client's socket: reads requests strictly and within bounds of time, and tells whether the
// client is still there. To httplib it is a stream that holds one request line and no body.
#pragma once

#include <httplib.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/access/caller.h"
#include "server/http/body_decoder.h"
#include "server/http/connection_table.h"
#include "server/http/http_error.h"
#include "server/http/request_head.h"

namespace edgegate {

struct ConnectionLimits {
  std::chrono::seconds headers;  // for a request's line and headers, from its first byte
  std::chrono::seconds body;     // for all of its body
  std::chrono::seconds pause;    // without a byte of it
  std::chrono::seconds write;    // until the client takes a byte of the answer
  std::chrono::seconds idle;     // between two requests
  HeadLimits head;
  BodyLimits request_body;
  // Asks the kernel about peers on this machine. Tests turn it off to stand for remote peers.
  bool find_local_peers = true;
};

struct Route;

// An answer that is not httplib's: a refusal, or one without a body.
struct ShortAnswer {
  int status = 204;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // JSON
};

// The error with what its status asks for: Retry-After, WWW-Authenticate.
ShortAnswer MakeShortAnswer(const HttpError& error, ErrorBody body);

// Owned by its connection's thread. No other thread may call it.
class Connection : public httplib::Stream {
 public:
  // Charges `bytes` of memory in total for a body before they are allocated. The error is the
  // client's answer.
  using Reserve = std::function<std::optional<HttpError>(size_t bytes)>;

  // `entry` is in `table`. Both outlive the connection, which closes nothing. `error_body`: how
  // errors look while no route is known.
  Connection(ConnectionTable* table, ConnectionTable::Entry* entry, const ConnectionLimits& limits,
             ErrorBody default_error_body);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The connection that the calling thread serves; null: none.
  static Connection* Current();

  // Reads the next request's head. False: there is none, and error() tells what to answer, if
  // anything.
  bool ReadHead();
  const std::optional<HttpError>& error() const { return error_; }
  // Valid after ReadHead().
  const RequestHead& head() const { return head_; }

  // Reads the request's body into `body`. Call once. The error is the client's answer: 400, 408,
  // 413, 431 or what `reserve` said; the connection closes after it. `reserve` may be empty.
  std::optional<HttpError> ReadBody(std::string* body, const Reserve& reserve = {});

  // True where the client has left. A reset is told at once. A client that has only ended its
  // sending half may still wait for its answer, and looks the same as one that closed its socket.
  // Of a client on this machine the kernel knows. To another one that has looked so for `patience`,
  // a few bytes are sent, to which a closed socket replies with a reset: before the answer has
  // begun the interim answer "100 Continue", later whatever `probe` writes, if anything. HTTP/1.0
  // knows no interim answers: such a client has left after 2 s. Keeps up to 64 KiB of what the
  // client sends in the meantime as its next requests. Call it often; it does not wait.
  bool gone(std::chrono::milliseconds patience, const std::function<void()>& probe = {});

  // Lets httplib see a request line for "/", and no body. To be called before httplib serves the
  // request. False: the slot was given away.
  bool BeginAnswer();
  // The connection closes after this answer.
  void Close() { closing_ = true; }
  bool closing() const { return closing_ || !head_.keep_alive || !body_done(); }
  // Writes an answer, with "Connection: close" where closing().
  bool Write(const ShortAnswer& answer);
  // Takes and drops what the client still sends, for a bounded time, so that it can read the last
  // answer before the socket is closed.
  void Linger();

  // Writes the request's errors.
  ErrorBody error_body() const { return error_body_; }
  // The part of the path that the route's parameter stands for.
  const std::string& parameter() const { return parameter_; }
  void set_path_facts(ErrorBody body, std::string parameter) {
    error_body_ = body;
    parameter_ = std::move(parameter);
  }
  // The route that answers the request; null: none.
  const Route* route() const { return route_; }
  void set_route(const Route* route) { route_ = route; }
  // Of the answer that httplib wrote.
  int status() const { return status_; }
  void set_status(int status) { status_ = status; }

  const Caller& caller() const { return caller_; }
  void set_caller(Caller caller) { caller_ = std::move(caller); }
  // The part of the address that stands for the client.
  const std::string& address() const { return entry_->address; }
  // The slot is a reserve one.
  bool reserve() const { return entry_->reserve; }
  // The page that may read the answer; empty: none was listed.
  const std::string& listed_origin() const { return listed_origin_; }
  void set_listed_origin(std::string origin) { listed_origin_ = std::move(origin); }

  bool is_readable() const override { return line_at_ < line_.size(); }
  bool is_writable() const override { return true; }  // write() waits for room
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& address, int& port) const override;
  void get_local_ip_and_port(std::string& address, int& port) const override;
  // httplib refuses descriptors above FD_SETSIZE and does nothing else with it.
  socket_t socket() const override { return 0; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Input { kBytes, kEnd, kLate };

  // Waits for bytes until `deadline` and takes them into input_.
  Input Fill(Clock::time_point deadline);
  // Takes what has come without waiting.
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
  std::string input_;  // read and not yet consumed
  std::string line_;   // what httplib reads
  size_t line_at_ = 0;
  bool body_read_ = false;
  bool closing_ = false;
  bool answered_ = false;  // a byte of the answer is written
  bool dropped_ = false;   // bytes behind the request were dropped
  std::optional<Clock::time_point> end_seen_;
  std::optional<Clock::time_point> probed_;
};

}  // namespace edgegate
