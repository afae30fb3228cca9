#include "server/http/connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "server/http/local_peer.h"

namespace edgegate {
namespace {

constexpr size_t kPiece = 16 << 10;
constexpr size_t kMaxExtra = 64 << 10;
// Largest number of bytes that one call of gone() drops.
constexpr size_t kMaxDropped = 256 << 10;
constexpr auto kOldClientPatience = std::chrono::seconds(2);
constexpr auto kProbeAgain = std::chrono::seconds(5);
constexpr auto kLinger = std::chrono::seconds(5);
constexpr auto kLingerPause = std::chrono::seconds(1);
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

thread_local Connection* current = nullptr;

const char* Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Bad Request";
  }
}

// Waits for `events`. Returns those that came within `wait`; 0: none.
short Ready(int fd, short events, std::chrono::steady_clock::duration wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd one{fd, events, 0};
    const int n = poll(&one, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (n > 0) return one.revents;
    if (n == 0 || errno != EINTR) return 0;
  }
}

HttpError Late() { return {408, "The request took too long to arrive.", "", "timeout"}; }

HttpError Incomplete() {
  return {400, "Invalid request: it ended before it was complete.", "", ""};
}

}  // namespace

ShortAnswer MakeShortAnswer(const HttpError& error, ErrorBody body) {
  ShortAnswer answer{error.status, {}, body(error)};
  if (error.status == 429 || error.status == 503) answer.headers.emplace_back("Retry-After", "1");
  if (error.status == 401) answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

Connection::Connection(ConnectionTable* table, ConnectionTable::Entry* entry,
                       const ConnectionLimits& limits, ErrorBody default_error_body)
    : table_(table),
      entry_(entry),
      socket_(entry->socket),
      limits_(limits),
      default_error_body_(default_error_body),
      error_body_(default_error_body) {
  current = this;
}

Connection::~Connection() { current = nullptr; }

Connection* Connection::Current() { return current; }

Connection::Input Connection::Fill(Clock::time_point deadline) {
  while (true) {
    if (entry_->evicted) return Input::kEnd;
    const auto left = deadline - Clock::now();
    if (left <= Clock::duration::zero() || Ready(socket_, POLLIN, left) == 0) return Input::kLate;
    const size_t had = input_.size();
    input_.resize(had + kPiece);
    const ssize_t n = recv(socket_, input_.data() + had, kPiece, MSG_DONTWAIT);
    input_.resize(had + static_cast<size_t>(std::max<ssize_t>(n, 0)));
    if (entry_->evicted) return Input::kEnd;
    if (n > 0) return Input::kBytes;
    const bool again = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (!again) return Input::kEnd;
  }
}

bool Connection::ReadHead() {
  HeadParser parser(limits_.head);
  error_.reset();
  head_ = {};
  listed_origin_.clear();
  set_path_facts(default_error_body_, "");
  route_ = nullptr;
  status_ = 0;
  body_read_ = answered_ = false;
  probed_.reset();
  if (closing_ || dropped_ || !table_->SetState(entry_, ConnectionState::kIdle)) return false;
  if (input_.empty()) input_.shrink_to_fit();
  auto deadline = Clock::now() + limits_.idle;
  while (true) {
    const bool had_begun = parser.started();
    input_.erase(0, parser.Feed(input_));
    if (parser.error()) error_ = parser.error();
    if (parser.error()) return false;
    if (!had_begun && parser.started()) {
      deadline = Clock::now() + limits_.headers;
      table_->SetState(entry_, ConnectionState::kReading);
    }
    if (parser.done()) break;
    const Input input = Fill(deadline);
    if (input == Input::kBytes) continue;
    if (!parser.started()) return false;
    error_ = entry_->evicted ? Evicted() : input == Input::kLate ? Late() : Incomplete();
    return false;
  }
  head_ = parser.Take();
  request_id_ = RequestIdOf(head_);
  log_note_.clear();
  began_ = Clock::now();
  return true;
}

std::optional<HttpError> Connection::ReadBody(std::string* body, const Reserve& reserve) {
  BodyDecoder decoder(head_, limits_.request_body);
  if (decoder.error()) return FailBody(*decoder.error());
  if (!table_->SetState(entry_, ConnectionState::kReading)) return FailBody(Evicted());
  if (head_.expects_continue && input_.empty() && !decoder.done()) {
    write(kContinue.data(), kContinue.size());
    answered_ = false;
  }
  const auto deadline = Clock::now() + limits_.body;
  const size_t most = head_.chunked ? limits_.request_body.body_bytes + kPiece : decoder.expected();
  // Reserves address space only. Pages that are never written take no memory.
  if (!head_.chunked) body->reserve(most);
  size_t charged = 0;
  while (true) {
    const size_t need = std::min(body->size() + input_.size(), most);
    if (need > charged) {
      charged = std::min(std::max({need, 2 * charged, kPiece}), most);
      if (auto error = reserve ? reserve(charged) : std::nullopt)
        return FailBody(*std::move(error));
      if (head_.chunked) body->reserve(charged);
    }
    input_.erase(0, decoder.Feed(input_, body));
    if (decoder.error()) return FailBody(*decoder.error());
    if (decoder.done()) break;
    const Input input = Fill(std::min(deadline, Clock::now() + limits_.pause));
    if (input == Input::kBytes) continue;
    return FailBody(entry_->evicted ? Evicted() : input == Input::kLate ? Late() : Incomplete());
  }
  body_read_ = true;
  if (!table_->SetState(entry_, ConnectionState::kWorking)) return FailBody(Evicted());
  return std::nullopt;
}

std::optional<HttpError> Connection::FailBody(HttpError error) {
  closing_ = true;
  table_->SetState(entry_, ConnectionState::kIdle);
  return error;
}

HttpError Connection::Evicted() const {
  return {503,
          "The server has too many connections (server.max_connections, "
          "server.max_connections_per_address).",
          "", "unavailable"};
}

bool Connection::gone(std::chrono::milliseconds patience, const std::function<void()>& probe) {
  TakeExtra();
  const short events = Ready(socket_, POLLRDHUP, {});
  if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) return true;
  if ((events & POLLRDHUP) == 0 || entry_->evicted) return false;
  const auto now = Clock::now();
  if (!end_seen_) end_seen_ = now;
  const LocalPeer peer = limits_.find_local_peers ? FindLocalPeer(socket_) : LocalPeer::kUnknown;
  if (peer != LocalPeer::kUnknown) return peer == LocalPeer::kClosed;
  if (answered_ && !probe) return false;  // a failed write of the answer will show it
  if (!answered_ && head_.minor_version == 0) return now - *end_seen_ >= kOldClientPatience;
  if (now - *end_seen_ < patience || (probed_ && now - *probed_ < kProbeAgain)) return false;
  probed_ = now;
  if (answered_) {
    probe();
  } else {
    // Does not wait: the interim answer is dropped if the socket's buffer is full.
    send(socket_, kContinue.data(), kContinue.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  return (Ready(socket_, POLLRDHUP, {}) & (POLLERR | POLLHUP)) != 0;
}

void Connection::TakeExtra() {
  char piece[4096];
  // Drops bytes that the client sent. The end of the connection can be read only after them.
  for (size_t taken = 0; taken < kMaxDropped;) {
    const ssize_t n = recv(socket_, piece, sizeof piece, MSG_DONTWAIT);
    if (n <= 0) return;
    taken += static_cast<size_t>(n);
    dropped_ = dropped_ || input_.size() + static_cast<size_t>(n) > kMaxExtra;
    if (!dropped_) input_.append(piece, static_cast<size_t>(n));
  }
}

bool Connection::BeginAnswer() {
  line_ = head_.method + " / HTTP/1.1\r\nContent-Length: 0\r\n\r\n";
  line_at_ = 0;
  return table_->SetState(entry_, ConnectionState::kWorking);
}

HeaderList Connection::CommonFields() const {
  HeaderList fields = AnswerFields(request_id_, age(), listed_origin_);
  if (closing()) {
    fields.emplace_back("Connection", "close");
  } else if (head_.minor_version == 0) {
    fields.emplace_back("Connection", "keep-alive");
  }
  return fields;
}

bool Connection::Write(const ShortAnswer& answer) {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\n", answer.status, Reason(answer.status));
  for (const auto& [name, value] : answer.headers) text += name + ": " + value + "\r\n";
  for (const auto& [name, value] : CommonFields()) text += name + ": " + value + "\r\n";
  if (answer.status != 204) {
    if (!answer.body.empty()) text += fmt::format("Content-Type: {}\r\n", kJsonType);
    text += fmt::format("Content-Length: {}\r\n", answer.body.size());
  }
  text += "\r\n";
  if (head_.method != "HEAD") text += answer.body;
  return write(text.data(), text.size()) >= 0;
}

void Connection::Linger() {
  if (entry_->evicted || shutdown(socket_, SHUT_WR) != 0) return;
  if (!table_->SetState(entry_, ConnectionState::kIdle)) return;
  const auto until = Clock::now() + kLinger;
  do {
    input_.clear();
  } while (Fill(std::min<Clock::time_point>(until, Clock::now() + kLingerPause)) == Input::kBytes);
}

ssize_t Connection::read(char* data, size_t size) {
  const size_t n = std::min(size, line_.size() - line_at_);
  line_.copy(data, n, line_at_);
  line_at_ += n;
  return static_cast<ssize_t>(n);
}

ssize_t Connection::write(const char* data, size_t size) {
  answered_ = true;
  size_t done = 0;
  while (done < size) {
    const ssize_t n = send(socket_, data + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      done += static_cast<size_t>(n);
      continue;
    }
    const bool full = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    const auto wait = entry_->evicted ? Clock::duration::zero() : Clock::duration(limits_.write);
    if (!full || Ready(socket_, POLLOUT, wait) == 0) return -1;
  }
  return static_cast<ssize_t>(size);
}

// Addresses come from the connection table. httplib's copies of them are not used.
void Connection::get_remote_ip_and_port(std::string& address, int& port) const {
  address = entry_->address;
  port = 0;
}

void Connection::get_local_ip_and_port(std::string& address, int& port) const {
  address.clear();
  port = 0;
}

}  // namespace edgegate
