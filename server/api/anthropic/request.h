// Parses requests of Anthropic's /v1/messages.
#pragma once

#include <string_view>
#include <variant>

#include "server/api/answer_call.h"

namespace edgegate {

// The part of a request that only the writer of the answer needs.
struct MessageOptions {
  bool stream = false;
  bool show_thoughts = true;
  Warnings warnings;
};

// Parses the body of a request for a message. Thread-safe.
std::variant<ParsedCall, CallError> ParseMessageRequest(std::string_view body);
// Parses the body of a request for the number of its tokens. Thread-safe.
std::variant<ParsedCall, CallError> ParseCountRequest(std::string_view body);

}  // namespace edgegate
