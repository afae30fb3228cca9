#include "engine/text/tools/argument_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgegate {
namespace {

// Appends a byte of a string to its JSON.
void AppendEscaped(char c, std::string* json) {
  switch (c) {
    case '"':
    case '\\':
      *json += '\\';
      *json += c;
      return;
    case '\n':
      *json += "\\n";
      return;
    case '\t':
      *json += "\\t";
      return;
    default:
      if (static_cast<unsigned char>(c) < 0x20) {
        *json += fmt::format("\\u{:04x}", static_cast<int>(c));
      } else {
        *json += c;
      }
  }
}

}  // namespace

size_t ArgumentReader::Read(std::string_view text, std::string* json) {
  size_t at = 0;
  while (at < text.size() && !done_) {
    if (ReadByte(text[at], json)) ++at;
  }
  return at;
}

bool ArgumentReader::ReadByte(char c, std::string* json) {
  switch (format_.style) {
    case ArgumentStyle::kJson:
      return ReadJson(c, json);
    case ArgumentStyle::kKeywords:
      return ReadKeywords(c, json);
    case ArgumentStyle::kBare:
      return ReadBare(c, json);
    case ArgumentStyle::kTagged:
      return ReadTagged(c, json);
  }
  return true;
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

bool ArgumentReader::ReadPlain(char c, std::string_view end, std::string* json) {
  held_ += c;
  while (!end.starts_with(held_)) {
    AppendEscaped(held_[0], json);
    held_.erase(0, 1);
  }
  if (held_.size() < end.size()) return false;
  held_.clear();
  *json += '"';
  return true;
}

void ArgumentReader::BeginValue(std::string* json) {
  *json += '"';
  for (const char c : name_) AppendEscaped(c, json);
  *json += "\": ";
  name_.clear();
}

// Reads `a:1,b:<escape>x<escape>}`. Stops at the brace, which the caller reads.
bool ArgumentReader::ReadBare(char c, std::string* json) {
  if (!any_) {
    *json += '{';
    any_ = true;
  }
  if (in_string_) {
    in_string_ = !ReadPlain(c, format_.string_mark, json);
    return true;
  }
  if (!in_name_) {
    if (c == '}') return CloseBare(json);
    ReadBareValue(c, json);
    return true;
  }
  if (c == '}' && name_.empty()) return CloseBare(json);
  if (c == ':') {
    BeginValue(json);
    in_name_ = false;
  } else {
    name_ += c;
  }
  return true;
}

void ArgumentReader::ReadBareValue(char c, std::string* json) {
  const std::string_view mark = format_.string_mark;
  if (!held_.empty() || c == mark[0]) {
    held_ += c;
    in_string_ = held_ == mark;
    if (in_string_) *json += '"';
    if (in_string_ || !mark.starts_with(held_)) held_.clear();
    return;
  }
  if (c == ',') {
    *json += ", ";
    in_name_ = open_.empty() || open_.back() == '{';
    return;
  }
  *json += c;
  if (c == '{' || c == '[') open_ += c;
  if (c == '{') in_name_ = true;
  if (c == ']' && !open_.empty()) open_.pop_back();
}

// Reads the brace behind an object.
bool ArgumentReader::CloseBare(std::string* json) {
  *json += '}';
  in_name_ = false;
  done_ = open_.empty();
  if (!done_) open_.pop_back();
  return !done_;
}

// Reads members between tags, and the text that ends the arguments.
bool ArgumentReader::ReadTagged(char c, std::string* json) {
  const MemberTags& tags = format_.tags;
  switch (place_) {
    case Place::kTag:
      held_ += c;
      if (held_ == tags.close) {
        *json += any_ ? "}" : "{}";
        done_ = true;
      } else if (held_ == tags.before_name) {
        held_.clear();
        place_ = Place::kName;
      } else if (!tags.close.starts_with(held_) && !tags.before_name.starts_with(held_)) {
        held_.clear();
      }
      return true;
    case Place::kName:
      name_ += c;
      if (name_.ends_with(tags.after_name)) {
        name_.erase(name_.size() - tags.after_name.size());
        const bool plain = std::find(plain_.begin(), plain_.end(), name_) != plain_.end();
        *json += any_ ? ", " : "{";
        any_ = true;
        BeginValue(json);
        if (plain) *json += '"';
        place_ = plain ? Place::kPlain : Place::kValue;
      }
      return true;
    case Place::kPlain:
      if (ReadPlain(c, tags.after_value, json)) place_ = Place::kTag;
      return true;
    case Place::kValue:
      if (in_string_ || depth_ != 0 || c != tags.after_value[0]) {
        TrackValue(c);
        *json += c;
        return true;
      }
      place_ = Place::kAfterValue;
      [[fallthrough]];
    case Place::kAfterValue:
      held_ += c;
      if (held_.size() == tags.after_value.size()) {
        held_.clear();
        place_ = Place::kTag;
      }
      return true;
  }
  return true;
}

}  // namespace edgegate
