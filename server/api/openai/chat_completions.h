// POST /v1/chat/completions.
#pragma once

#include <string_view>
#include <variant>

#include "server/api/answer_call.h"
#include "server/api/json/fields.h"
#include "server/http/router.h"

namespace edgegate {

void AddChatCompletions(const ApiServices& services, Router* router);

// Reads a request's body. Every member's type and range is checked. The error names the member.
// Pure.
std::variant<ParsedCall, CallError> ParseChatCompletion(std::string_view body);

// Reads the messages and what else determines the prompt: tools and the template's variables.
// Errors go to `fields`. True: the request has the older `functions`.
bool ParseChatInput(Fields* fields, Call* call);

}  // namespace edgegate
