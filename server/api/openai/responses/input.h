// Reads the input of a response's request, and the turns before it.
#pragma once

#include <vector>

#include "engine/text/conversation.h"
#include "server/api/json/fields.h"
#include "server/api/openai/responses/request.h"
#include "server/call/call.h"

namespace edgegate {

// Reads `instructions`, `previous_response_id` and `input`. Items of earlier turns come first, as
// if the request had sent them. Sets the items that are stored. Errors go to `fields`.
std::vector<ChatMessage> ParseInput(Fields* fields, const ResponseStore& store,
                                    ResponseOptions* options, std::vector<ImageSource>* images);

}  // namespace edgegate
