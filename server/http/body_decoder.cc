#include "server/http/body_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/http/syntax.h"

namespace edgegate {

BodyDecoder::BodyDecoder(const RequestHead& head, const BodyLimits& limits)
    : limits_(limits), chunked_(head.chunked) {
  if (chunked_) {
    state_ = State::kChunkLine;
    return;
  }
  const uint64_t length = head.content_length.value_or(0);
  if (length > limits_.body_bytes) {
    FailTooLarge();
  } else if (length == 0) {
    state_ = State::kDone;
  } else {
    left_ = length;
  }
}

size_t BodyDecoder::Feed(std::string_view bytes, std::string* out) {
  size_t at = 0;
  while (at < bytes.size() && !done() && !error_) {
    if (state_ == State::kData) {
      const size_t n = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - at));
      out->append(bytes.substr(at, n));
      at += n;
      left_ -= n;
      if (left_ == 0) state_ = chunked_ ? State::kChunkEnd : State::kDone;
      continue;
    }
    const char c = bytes[at++];
    if (state_ == State::kChunkEnd) {
      if (c != (after_cr_ ? '\n' : '\r')) {
        Fail(400, "Invalid chunked body: a chunk's data does not end in CR LF.");
      } else if (std::exchange(after_cr_, !after_cr_)) {
        state_ = State::kChunkLine;
      }
    } else if (state_ == State::kChunkLine) {
      if (Line(c, limits_.chunk_line_bytes, 400, "chunk-size line")) {
        ChunkLine(std::exchange(line_, {}));
      }
    } else if (++trailer_bytes_ > limits_.trailer_bytes) {
      Fail(431, fmt::format("The trailer fields are too large: at most {} bytes are allowed.",
                            limits_.trailer_bytes));
    } else if (Line(c, limits_.trailer_bytes, 431, "trailer line")) {
      TrailerLine(std::exchange(line_, {}));
    }
  }
  return at;
}

bool BodyDecoder::Line(char c, size_t limit, int status, const char* what) {
  if (after_cr_ ? c != '\n' : c != '\r' && !IsFieldChar(c)) {
    Fail(400, fmt::format("Invalid chunked body: a {} does not end in CR LF.", what));
  } else if (c == '\r') {
    after_cr_ = true;
  } else if (c == '\n') {
    after_cr_ = false;
    return true;
  } else if (line_.size() >= limit) {
    Fail(status, fmt::format("Invalid chunked body: a {} is longer than {} bytes.", what, limit));
  } else {
    line_.push_back(c);
  }
  return false;
}

void BodyDecoder::ChunkLine(std::string_view line) {
  const size_t semicolon = std::min(line.find(';'), line.size());
  std::string_view digits = line.substr(0, semicolon);
  extension_bytes_ += line.size() - semicolon;
  if (extension_bytes_ > limits_.extension_bytes) {
    return Fail(400, fmt::format("Invalid chunked body: its extensions are longer than {} bytes.",
                                 limits_.extension_bytes));
  }
  // Blanks are allowed before an extension, and nowhere else.
  while (semicolon < line.size() && digits.size() > 1 &&
         (digits.back() == ' ' || digits.back() == '\t')) {
    digits.remove_suffix(1);
  }
  uint64_t size = 0;
  for (char c : digits) {
    const int digit = HexValue(c);
    if (digit < 0) return Fail(400, "Invalid chunked body: a chunk size is not a number.");
    size = size >> 60 ? UINT64_MAX : size * 16 + static_cast<uint64_t>(digit);
  }
  if (digits.empty()) return Fail(400, "Invalid chunked body: a chunk size is missing.");
  if (size > limits_.body_bytes - total_) return FailTooLarge();
  total_ += size;
  left_ = size;
  state_ = size > 0 ? State::kData : State::kTrailer;
}

void BodyDecoder::TrailerLine(std::string_view line) {
  if (line.empty()) {
    state_ = State::kDone;
  } else if (!ParseField(line)) {
    Fail(400, "Invalid chunked body: a trailer field must be NAME: VALUE.");
  }
}

void BodyDecoder::Fail(int status, std::string message) {
  error_ = HttpError{status, std::move(message), "", ""};
}

void BodyDecoder::FailTooLarge() {
  Fail(413, fmt::format("The request body is too large: at most {} bytes are allowed "
                        "(server.max_body_mb).",
                        limits_.body_bytes));
}

}  // namespace edgegate
