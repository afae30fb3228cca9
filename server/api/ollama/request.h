// Parses requests of Ollama's /api/chat and /api/generate.
#pragma once

#include <string_view>
#include <variant>

#include "server/api/answer_call.h"

namespace edgegate {

// The part of a request that only the writer of the answer needs.
struct OllamaOptions {
  bool chat = false;  // else the request is of /api/generate
  bool stream = true;
  bool logprobs = false;
  Warnings warnings = {};
};

// Parse the bodies. A request without a question only asks for the model to be loaded. Thread-safe.
std::variant<ParsedCall, CallError> ParseOllamaChat(std::string_view body);
std::variant<ParsedCall, CallError> ParseOllamaGenerate(std::string_view body);

}  // namespace edgegate
