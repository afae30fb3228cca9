// POST /tokenize: the token ids of a text or of a chat, in the shapes of vLLM and of llama.cpp.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "server/api/services.h"
#include "server/api/warnings.h"
#include "server/call/call.h"
#include "server/call/call_error.h"
#include "server/http/router.h"

namespace edgegate {

void AddTokenize(const ApiServices& services, Router* router);

struct TokenizeRequest {
  enum class Form {
    kPrompt,    // vLLM's, of a text
    kMessages,  // vLLM's, of a chat
    kContent,   // llama.cpp's, of a text
  };
  Form form = Form::kPrompt;
  Call call;         // its model; of kMessages, the conversation and its images
  std::string text;  // of the other forms
  TextOptions options;
  bool pieces = false;  // the text of each token is wanted
  Warnings warnings;
};

// Reads a request's body. The error names the member. Pure.
std::variant<TokenizeRequest, CallError> ParseTokenize(std::string_view body);

}  // namespace edgegate
