// Uses any bytes as the body of a request to each endpoint of each protocol.

#include <cstdint>
#include <string_view>

#include "server/api/anthropic/errors.h"
#include "server/api/anthropic/request.h"
#include "server/api/endpoint.h"
#include "server/api/llamacpp/embeddings.h"
#include "server/api/ollama/embed.h"
#include "server/api/ollama/errors.h"
#include "server/api/ollama/request.h"
#include "server/api/openai/chat_completions.h"
#include "server/api/openai/completions.h"
#include "server/api/openai/decisions/decisions.h"
#include "server/api/openai/embeddings.h"
#include "server/api/openai/errors.h"
#include "server/api/openai/responses/request.h"
#include "server/api/rerank/rerank.h"
#include "server/api/tokens/detokenize.h"
#include "server/api/tokens/tokenize.h"

namespace {

using namespace edgegate;  // NOLINT(google-build-using-namespace)

std::variant<ParsedCall, CallError> ParseStoredResponse(std::string_view body) {
  static ResponseStore store;
  static const bool stored = store.Put(
      "", {"resp_1", "{}", {R"({"role":"user","content":"a"})"}, {{"msg_1", R"({"type":"x"})"}}});
  (void)stored;
  return ParseResponse(body, {}, &store);
}

// Parses the body, and writes the error in the form of each protocol if it is wrong.
template <typename Parse>
void TryParse(Parse parse, std::string_view body) {
  const auto parsed = parse(body);
  const auto* error = std::get_if<CallError>(&parsed);
  if (error == nullptr) return;
  const HttpError http = ToHttp(*error);
  for (const ErrorBody write : {OpenAiErrorBody, AnthropicErrorBody, OllamaErrorBody}) {
    (void)write(http);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const auto parse :
       {ParseChatCompletion, ParseCompletion, ParseStoredResponse, ParseMessageRequest,
        ParseCountRequest, ParseOllamaChat, ParseOllamaGenerate}) {
    TryParse(parse, body);
  }
  TryParse(ParseEmbeddings, body);
  TryParse(ParseLlamaEmbeddings, body);
  TryParse(ParseDecision, body);
  TryParse(ParseRerank, body);
  TryParse(ParseOllamaEmbed, body);
  TryParse(ParseOllamaEmbeddings, body);
  TryParse(ParseTokenize, body);
  TryParse(ParseDetokenize, body);
  return 0;
}
