// Writes the answer to a call in a protocol's shape.
#pragma once

#include <string>
#include <string_view>

#include "server/call/generation.h"
#include "server/http/http_error.h"

namespace edgegate {

// Each method returns the bytes to send next, in the protocol's framing. The result may be empty. A
// writer of a whole answer returns nothing before End(). Owned by one thread.
class AnswerWriter {
 public:
  virtual ~AnswerWriter() = default;

  // The media type of the answer.
  virtual const char* content_type() const = 0;
  // Bytes of a stream that clients ignore. They are sent while no event comes.
  virtual std::string_view heartbeat() const { return {}; }

  // Called first.
  virtual std::string Begin() = 0;
  // Called for each event, in order.
  virtual std::string Delta(const ChoiceEvent& event) = 0;
  // Called last, once all choices have ended.
  virtual std::string End() = 0;
  // Called instead of End() if the engine fails after a stream has begun. Not called for a whole
  // answer: nothing was sent yet, and the error is the answer.
  virtual std::string Fail(const HttpError& error) = 0;
};

}  // namespace edgegate
