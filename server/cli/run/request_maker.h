// Makes calls of a model from the flags of `edgegate run`. The calls are parsed as requests of the
// API, so that they have its ranges and its errors.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/status.h"
#include "server/api/answer_call.h"
#include "server/cli/commands.h"

namespace edgegate {

// Messages are JSON texts, as in the member "messages" of a chat request.
std::string SystemMessage(std::string_view text);
// `images`: number of images, which stand before the text.
std::string UserMessage(std::string_view text, size_t images);
// Returns the message of a whole answer to a chat request, which MakeChat() takes.
std::string MessageOf(std::string_view answer);

// Immutable.
class RequestMaker {
 public:
  // Reads the schema and the tools. `max_bytes`: limit of each file. Errors: a file cannot be read,
  // or is no JSON.
  static Result<RequestMaker> Make(const RunArguments& arguments, size_t max_bytes);

  // Makes a call that continues a conversation. The errors are those of the API. The images of the
  // call have no bytes.
  std::variant<ParsedCall, CallError> MakeChat(const std::vector<std::string>& messages) const;
  // Makes a call that continues a text, for a model without a chat template.
  std::variant<ParsedCall, CallError> MakeText(std::string_view prompt) const;

 private:
  std::string members_;  // of every request, as a JSON object
};

// Returns the error's message, after the flag that sets the field at fault.
std::string MessageWithFlag(const CallError& error);

// Returns the answer of `edgegate run --json`: the message's members, and the model, usage and
// timings. `answer`: a whole answer of /v1/chat/completions or /v1/completions.
std::string FlatAnswer(std::string_view answer);

}  // namespace edgegate
