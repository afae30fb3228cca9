// The members that requests for embeddings and for ranks share.
#pragma once

#include <algorithm>
#include <optional>

#include "server/api/json/fields.h"

namespace edgegate {

inline constexpr int64_t kMostDimensions = 65536;
inline constexpr int64_t kMostTokens = int64_t{1} << 30;

// Reads "dimensions". Errors are stored in `fields`.
inline std::optional<int> ParseDimensions(Fields* fields) {
  const auto dimensions = fields->Int("dimensions", 1, kMostDimensions);
  return dimensions ? std::optional(static_cast<int>(*dimensions)) : std::nullopt;
}

// Reads vLLM's "truncate_prompt_tokens": -1 stands for the maximum of the model, which is 0 in
// EmbeddingCall.
inline std::optional<int> ParseTruncation(Fields* fields) {
  const auto tokens = fields->Int("truncate_prompt_tokens", -1, kMostTokens);
  if (tokens == 0) {
    fields->Fail(BadField("truncate_prompt_tokens",
                          "Invalid 'truncate_prompt_tokens': must be -1 or at least 1."));
  }
  return tokens ? std::optional(static_cast<int>(std::max<int64_t>(*tokens, 0))) : std::nullopt;
}

}  // namespace edgegate
