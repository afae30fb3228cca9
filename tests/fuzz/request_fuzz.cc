// Uses any bytes as the body of a request to each endpoint.

#include <cstdint>
#include <string_view>

#include "server/api/openai/chat_completions.h"
#include "server/api/openai/completions.h"
#include "server/api/openai/embeddings.h"
#include "server/api/openai/errors.h"
#include "server/api/rerank/rerank.h"

namespace {

// Parses the body, and writes the error if it is wrong.
template <typename Parse>
void TryParse(Parse parse, std::string_view body) {
  const auto parsed = parse(body);
  if (const auto* error = std::get_if<edgegate::CallError>(&parsed)) {
    (void)edgegate::OpenAiErrorBody(edgegate::ToHttp(*error));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  TryParse(edgegate::ParseChatCompletion, body);
  TryParse(edgegate::ParseCompletion, body);
  TryParse(edgegate::ParseEmbeddings, body);
  TryParse(edgegate::ParseRerank, body);
  return 0;
}
