// Any bytes as a request's body, to both endpoints.

#include <cstdint>
#include <string_view>

#include "server/openai/request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (bool chat : {false, true}) {
    const auto parsed = edgegate::ParseRequest(body, chat, {});
    if (const auto* error = std::get_if<edgegate::ApiError>(&parsed)) {
      (void)edgegate::ErrorJson(*error);
    }
  }
  return 0;
}
