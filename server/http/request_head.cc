#include "server/http/request_head.h"

#include <fmt/format.h>

#include <utility>

#include "server/http/request_target.h"
#include "server/http/syntax.h"

namespace edgegate {
namespace {

// Fields that may occur only once, because two values would be ambiguous.
constexpr const char* kSingle[] = {"host",          "content-length", "transfer-encoding",
                                   "authorization", "origin",         "content-type",
                                   "expect"};

// Accepts digits only. A number that does not fit becomes the largest one, which is above every
// limit.
std::optional<uint64_t> ParseLength(std::string_view text) {
  uint64_t value = 0;
  for (char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
  }
  if (text.empty()) return std::nullopt;
  return value;
}

// True if the list `value` contains `word`, in upper or lower case.
bool Lists(std::string_view value, std::string_view word) {
  while (true) {
    const size_t comma = std::min(value.find(','), value.size());
    if (Lower(TrimBlanks(value.substr(0, comma))) == word) return true;
    if (comma == value.size()) return false;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace

const std::string* RequestHead::Find(std::string_view name) const {
  for (const HeaderField& field : fields) {
    if (field.name == name) return &field.value;
  }
  return nullptr;
}

std::optional<HeaderField> ParseField(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) return std::nullopt;
  const std::string_view value = TrimBlanks(line.substr(colon + 1));
  for (char c : value) {
    if (!IsFieldChar(c)) return std::nullopt;
  }
  return HeaderField{Lower(line.substr(0, colon)), std::string(value)};
}

size_t HeadParser::Feed(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (done_ || error_) return i;
    const char c = bytes[i];
    if (c != '\r' && c != '\n') started_ = true;
    if (in_fields_ && ++header_bytes_ > limits_.header_bytes) {
      Fail(431, fmt::format("The header fields are too large: at most {} bytes are allowed.",
                            limits_.header_bytes));
    } else if (after_cr_ && c != '\n') {
      Fail(400, "Invalid HTTP request: a carriage return without a line feed.");
    } else if (c == '\n' && !after_cr_) {
      Fail(400, "Invalid HTTP request: a line feed without a carriage return.");
    } else if (c == '\r') {
      after_cr_ = true;
    } else if (c == '\n') {
      after_cr_ = false;
      EndLine();
    } else if (!IsFieldChar(c)) {
      Fail(400, "Invalid HTTP request: a control character.");
    } else if (!in_fields_ && line_.size() >= limits_.line_bytes) {
      Fail(414, fmt::format("The request line is too long: at most {} bytes are allowed.",
                            limits_.line_bytes));
    } else {
      line_.push_back(c);
    }
  }
  return bytes.size();
}

void HeadParser::EndLine() {
  const std::string line = std::exchange(line_, {});
  if (in_fields_) return line.empty() ? Finish() : Field(line);
  if (!line.empty()) return RequestLine(line);
  if (skipped_) return Fail(400, "Invalid HTTP request: there is no request line.");
  skipped_ = true;
}

void HeadParser::RequestLine(std::string_view line) {
  in_fields_ = true;
  const size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Fail(400, "Invalid request line: it must be METHOD TARGET HTTP/1.1.");
  }
  head_.method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsToken(head_.method)) return Fail(400, "Invalid request line: the method is not a token.");
  if (version.size() != 8 || !version.starts_with("HTTP/") || !IsDigit(version[5]) ||
      version[6] != '.' || !IsDigit(version[7])) {
    return Fail(400, "Invalid request line: it must end in HTTP/1.1 or HTTP/1.0.");
  }
  if (version[5] != '1') {
    return Fail(400, "This HTTP version is not supported: use HTTP/1.1 or HTTP/1.0.");
  }
  head_.minor_version = version[7] == '0' ? 0 : 1;
  auto parsed = ParseTarget(head_.method, target);
  if (!parsed) return Fail(400, "Invalid request line: the target is not a valid URL.");
  head_.path = std::move(parsed->path);
  head_.query = std::move(parsed->query);
  if (parsed->authority) head_.host = FormatAuthority(*parsed->authority, -1);
}

void HeadParser::Field(std::string_view line) {
  if (head_.fields.size() >= limits_.fields) {
    return Fail(431,
                fmt::format("Too many header fields: at most {} are allowed.", limits_.fields));
  }
  auto field = ParseField(line);
  if (!field) {
    return Fail(400, fmt::format("Invalid header field number {}: it must be NAME: VALUE.",
                                 head_.fields.size() + 1));
  }
  for (const char* name : kSingle) {
    if (field->name == name && head_.Find(name) != nullptr) {
      return Fail(400, fmt::format("Invalid request: the header field '{}' comes twice.", name));
    }
  }
  head_.fields.push_back(*std::move(field));
}

void HeadParser::Finish() {
  const std::string* host = head_.Find("host");
  if (host == nullptr && head_.minor_version > 0) {
    return Fail(400, "Invalid request: the header field 'host' is missing.");
  }
  if (host != nullptr) {
    const auto authority = ParseAuthority(*host);
    if (!authority) return Fail(400, "Invalid request: the header field 'host' is not valid.");
    if (head_.host.empty()) head_.host = FormatAuthority(*authority, -1);
  }
  const std::string* length = head_.Find("content-length");
  if (const std::string* coding = head_.Find("transfer-encoding")) {
    if (length != nullptr || head_.minor_version == 0 || Lower(*coding) != "chunked") {
      return Fail(400,
                  "Invalid 'transfer-encoding': only 'chunked' is supported, in HTTP/1.1 and "
                  "without 'content-length'.");
    }
    head_.chunked = true;
  }
  if (length != nullptr) {
    head_.content_length = ParseLength(*length);
    if (!head_.content_length) return Fail(400, "Invalid 'content-length': it must be one number.");
  }
  bool close = false, keep = false;
  for (const HeaderField& field : head_.fields) {
    if (field.name != "connection") continue;
    close = close || Lists(field.value, "close");
    keep = keep || Lists(field.value, "keep-alive");
  }
  head_.keep_alive = !close && (head_.minor_version > 0 || keep);
  if (const std::string* expect = head_.Find("expect"); expect && head_.minor_version > 0) {
    if (Lower(*expect) != "100-continue") {
      return Fail(417, "Invalid 'expect': only '100-continue' is supported.");
    }
    head_.expects_continue = true;
  }
  done_ = true;
}

void HeadParser::Fail(int status, std::string message) {
  error_ = HttpError{status, std::move(message), "", ""};
}

}  // namespace edgegate
