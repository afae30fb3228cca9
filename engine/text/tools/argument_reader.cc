#include "engine/text/tools/argument_reader.h"

namespace edgegate {

size_t ArgumentReader::Read(std::string_view text, std::string* json) {
  size_t at = 0;
  while (at < text.size() && !done_) {
    const char c = text[at];
    const bool taken = style_ == ArgumentStyle::kJson ? ReadJson(c, json) : ReadKeywords(c, json);
    if (taken) ++at;
  }
  return at;
}

bool ArgumentReader::TrackValue(char c) {
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
    }
    return false;
  }
  if (c == '"') in_string_ = true;
  if (c == '{' || c == '[') ++depth_;
  if (c == '}' || c == ']') return --depth_ <= 0;
  return false;
}

bool ArgumentReader::ReadJson(char c, std::string* json) {
  *json += c;
  done_ = TrackValue(c);
  return true;
}

// Reads `a=1, b="x")`. Stops at the parenthesis, which the caller reads.
bool ArgumentReader::ReadKeywords(char c, std::string* json) {
  if (in_name_) {
    if (c == ')') {
      *json += any_ ? "}" : "{}";
      done_ = true;
      return false;
    }
    if (c == '=') {
      *json += (any_ ? ", \"" : "{\"") + name_ + "\": ";
      any_ = true;
      in_name_ = false;
      name_.clear();
    } else if (c != ' ') {
      name_ += c;
    }
    return true;
  }
  if (!in_string_ && depth_ == 0 && (c == ',' || c == ')')) {
    in_name_ = true;
    return c == ',';
  }
  TrackValue(c);
  *json += c;
  return true;
}

}  // namespace edgegate
