// Tells why a request fails, in the shape of no protocol.
#pragma once

#include <string>

namespace edgegate {

struct HttpError {
  int status = 400;
  std::string message;
  std::string field;  // path of the field at fault; empty: none
  std::string code;   // a short name of the cause for programs; may be empty
};

// Writes the body of an error's answer, JSON, in a protocol's shape.
using ErrorBody = std::string (*)(const HttpError&);

}  // namespace edgegate
