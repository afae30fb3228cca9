// `response_format` (OpenAI) and `structured_outputs` (vLLM): what the output must follow.
#pragma once

#include "server/openai/fields.h"
#include "server/openai/request.h"

namespace edgegate {

// Fills `grammar` and `grammar_param` of the request.
void ParseResponseFormat(Fields* f, ApiRequest* r);

}  // namespace edgegate
