// The members that requests for embeddings and for ranks share, and the text of embeddings.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "server/api/json/fields.h"

namespace edgegate {

inline constexpr int64_t kMostDimensions = 65536;
inline constexpr int64_t kMostTokens = int64_t{1} << 30;
inline constexpr size_t kMostInputs = 2048;    // as in OpenAI's API
inline constexpr int64_t kBytesOfNumber = 16;  // of the text of a float

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

// Appends a JSON array of the numbers, with the fewest digits that give the same floats.
inline void AppendNumbers(const float* values, int count, std::string* out) {
  char digits[32];
  out->push_back('[');
  for (int i = 0; i < count; ++i) {
    if (i > 0) out->push_back(',');
    const auto end = std::to_chars(digits, digits + sizeof digits, values[i]).ptr;
    out->append(digits, end);
  }
  out->push_back(']');
}

}  // namespace edgegate
