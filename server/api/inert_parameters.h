// The parameters that edgegate knows and does not act on: inert_parameters.inc. A value that
// changes nothing is accepted, and a warning names it. A value that would change the answer's
// meaning is refused.
#pragma once

#include "server/api/json/fields.h"

namespace edgegate {

// The requests that a parameter may belong to.
struct RequestKind {
  enum Bit : unsigned {
    kChat = 1,
    kText = 2,  // /v1/completions
    kResponses = 4,
    kMessages = 8,  // /v1/messages
    kOptions = 16,  // `options` of Ollama's API
    kEmbeddings = 32,
    kRerank = 64,
  };
};

// Reads the members that belong to requests of this kind. Warnings and errors go to `fields`. Null
// counts as absent. Call it after the members that edgegate acts on. Thread-safe.
void ReadInertParameters(RequestKind::Bit kind, Fields* fields);

}  // namespace edgegate
