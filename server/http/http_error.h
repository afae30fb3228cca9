// The error of a request, independent of the protocol.
#pragma once

#include <string>

namespace edgegate {

inline constexpr char kJsonType[] = "application/json; charset=utf-8";

struct HttpError {
  int status = 400;
  std::string message;
  std::string field;  // path of the field at fault; empty: none
  std::string code;   // a short name of the cause for programs; may be empty
};

// Writes the JSON body of an error's answer in the format of a protocol.
using ErrorBody = std::string (*)(const HttpError&);

}  // namespace edgegate
