// Decodes a request's body, framed by Content-Length or chunked (RFC 9112, 6 and 7). Does no input
// or output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/request_head.h"

namespace edgegate {

struct BodyLimits {
  uint64_t body_bytes = 16 << 20;     // 413 above
  size_t chunk_line_bytes = 1 << 10;  // one chunk-size line with its extensions: 400 above
  size_t extension_bytes = 16 << 10;  // the extensions of all chunks together: 400 above
  size_t trailer_bytes = 8 << 10;     // all trailer lines together: 431 above
};

// Owned by one thread.
class BodyDecoder {
 public:
  // Sets error() if the declared length is above the limit.
  BodyDecoder(const RequestHead& head, const BodyLimits& limits);

  // Consumes bytes up to the end of the body or the first error. Appends the bytes of the body to
  // `out`. Returns the number of consumed bytes, framing included. Trailers are checked and
  // dropped.
  size_t Feed(std::string_view bytes, std::string* out);

  bool done() const { return state_ == State::kDone; }
  // The answer to give before the connection is closed: 400, 413 or 431.
  const std::optional<HttpError>& error() const { return error_; }
  // Number of bytes of the body that must still come, as far as the framing tells. Framing is not
  // counted.
  uint64_t expected() const { return left_; }

 private:
  enum class State { kData, kChunkLine, kChunkEnd, kTrailer, kDone };

  void ChunkLine(std::string_view line);
  void TrailerLine(std::string_view line);
  // Adds one byte of a line. True: the line is complete and in `line_`.
  bool Line(char c, size_t limit, int status, const char* what);
  void Fail(int status, std::string message);
  void FailTooLarge();

  const BodyLimits limits_;
  const bool chunked_;
  State state_ = State::kData;
  std::optional<HttpError> error_;
  uint64_t left_ = 0;   // bytes left of the body, or of the chunk
  uint64_t total_ = 0;  // bytes of the chunks so far
  std::string line_;
  bool after_cr_ = false;
  size_t extension_bytes_ = 0;
  size_t trailer_bytes_ = 0;
};

}  // namespace edgegate
