// Converts the arguments of one call from the model's form to JSON.
#pragma once

#include <string>
#include <string_view>

#include "engine/text/tools/call_format.h"

namespace edgegate {

// Owned by one thread.
class ArgumentReader {
 public:
  explicit ArgumentReader(ArgumentStyle style) : style_(style) {}

  // Reads up to the end of the arguments and appends their JSON to `json`. Returns the number of
  // bytes that were read: all of them if the arguments have not ended.
  size_t Read(std::string_view text, std::string* json);

  bool done() const { return done_; }

 private:
  // Reads a byte of a JSON value. True: it ends the value of an object or array.
  bool TrackValue(char c);
  bool ReadJson(char c, std::string* json);
  bool ReadKeywords(char c, std::string* json);

  const ArgumentStyle style_;
  bool done_ = false;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  // The state of ReadKeywords().
  bool in_name_ = true;
  bool any_ = false;  // a name was read
  std::string name_;
};

}  // namespace edgegate
