// Parses a request's line and header fields strictly by RFC 9112. Does no input or output. Input
// that the grammar does not allow is refused and never repaired.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/http_error.h"

namespace edgegate {

struct HeadLimits {
  size_t line_bytes = 8 << 10;     // the request line: 414 above
  size_t header_bytes = 64 << 10;  // all field lines together: 431 above
  size_t fields = 100;             // 431 above
};

struct HeaderField {
  std::string name;  // lower case
  std::string value;
};

struct RequestHead {
  std::string method;
  std::string path;   // percent-decoded, without the query; "*" for the asterisk form
  std::string query;  // as sent, without the "?"
  std::string host;   // "name" or "name:port" in lower case, of the target or of Host; empty: none
  int minor_version = 1;  // of HTTP/1
  std::vector<HeaderField> fields;

  bool chunked = false;
  std::optional<uint64_t> content_length;  // nullopt: no such field
  bool keep_alive = true;
  bool expects_continue = false;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  // The value of the first field called `name` (lower case); null: there is none.
  const std::string* Find(std::string_view name) const;
};

// Parses one head from bytes that may arrive in pieces of any size. Owned by one thread.
class HeadParser {
 public:
  explicit HeadParser(const HeadLimits& limits) : limits_(limits) {}

  // Consumes bytes up to the end of the head or the first error. Returns the number of consumed
  // bytes. Consumes nothing if done() or error().
  size_t Feed(std::string_view bytes);

  // True if a byte of a request has come.
  bool started() const { return started_; }
  bool done() const { return done_; }
  // The answer to give before the connection is closed: 400, 414, 417 or 431.
  const std::optional<HttpError>& error() const { return error_; }
  // The head. Valid when done(). Call once.
  RequestHead Take() { return std::move(head_); }

 private:
  void EndLine();
  void RequestLine(std::string_view line);
  void Field(std::string_view line);
  void Finish();
  void Fail(int status, std::string message);

  const HeadLimits limits_;
  RequestHead head_;
  std::optional<HttpError> error_;
  std::string line_;         // the line that is being read, without its end
  size_t header_bytes_ = 0;  // of the field lines so far
  bool started_ = false;     // a byte other than an empty line's has come
  bool skipped_ = false;     // one empty line before the request line was ignored
  bool in_fields_ = false;
  bool after_cr_ = false;
  bool done_ = false;
};

// Parses one field line without its end. The name becomes lower case. nullopt: the line is not
// valid.
std::optional<HeaderField> ParseField(std::string_view line);

}  // namespace edgegate
