// Uses any bytes as the body of a request to each endpoint.

#include <cstdint>
#include <string_view>

#include "server/api/openai/chat_completions.h"
#include "server/api/openai/completions.h"
#include "server/api/openai/errors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using edgegate::CallError;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const edgegate::ParseCall parse :
       {edgegate::ParseChatCompletion, edgegate::ParseCompletion}) {
    const auto parsed = parse(body);
    if (const auto* error = std::get_if<CallError>(&parsed)) {
      (void)edgegate::OpenAiErrorBody(edgegate::ToHttp(*error));
    }
  }
  return 0;
}
