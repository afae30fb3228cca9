// Writes the answer to a call in a protocol's shape.
#pragma once

#include <string>

#include "server/call/generation.h"
#include "server/http/http_error.h"

namespace edgegate {

// Each method gives the bytes that are to be sent next, in the protocol's framing. They may be
// none. A writer of a whole answer gives none before End(). Owned by one thread.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;

  // The media type of the answer.
  virtual const char* content_type() const = 0;

  // Called first.
  virtual std::string Begin() = 0;
  // Called for each event, in order.
  virtual std::string Delta(const ChoiceEvent& event) = 0;
  // Called last, once all choices have ended.
  virtual std::string End() = 0;
  // Called last in place of End(), where a stream has begun and the engine failed. A whole answer
  // has not begun then: the error is the answer, and this is not called.
  virtual std::string Fail(const HttpError& error) = 0;
};

}  // namespace edgegate
