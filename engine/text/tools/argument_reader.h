// Converts the arguments of one call from the model's form to JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/text/tools/call_format.h"

namespace edgegate {

// Owned by one thread.
class ArgumentReader {
 public:
  // `plain`: the members whose values are plain texts, in the style kTagged. `format` must outlive
  // this.
  ArgumentReader(const CallFormat& format, std::vector<std::string> plain)
      : format_(format), plain_(std::move(plain)) {}

  // Reads up to the end of the arguments and appends their JSON to `json`. Returns the number of
  // bytes that were read: all of them if the arguments have not ended.
  size_t Read(std::string_view text, std::string* json);

  bool done() const { return done_; }

 private:
  // The place in the arguments of the style kTagged.
  enum class Place { kTag, kName, kValue, kPlain, kAfterValue };

  // Reads a byte of a JSON value. True: it ends the value of an object or array.
  bool TrackValue(char c);
  // Each of these reads a byte in a style. False: the byte is not part of the arguments.
  bool ReadByte(char c, std::string* json);
  bool ReadJson(char c, std::string* json);
  bool ReadKeywords(char c, std::string* json);
  bool ReadBare(char c, std::string* json);
  bool ReadTagged(char c, std::string* json);

  // Reads a byte of a text without escapes that `end` ends. True: the text has ended.
  bool ReadPlain(char c, std::string_view end, std::string* json);
  void ReadBareValue(char c, std::string* json);
  bool CloseBare(std::string* json);
  // Begins the value of the member `name_`.
  void BeginValue(std::string* json);

  const CallFormat& format_;
  const std::vector<std::string> plain_;
  bool done_ = false;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  // The state of styles other than kJson.
  bool in_name_ = true;
  bool any_ = false;  // a name was read
  std::string name_;
  std::string held_;  // the beginning of a mark or tag
  std::string open_;  // of kBare: the brackets that are open, within those of the arguments
  Place place_ = Place::kTag;
};

}  // namespace edgegate
