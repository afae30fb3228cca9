// Limits of requests for tokens.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgegate {

inline constexpr int64_t kMostTokenIds = int64_t{1} << 20;       // of a request or an answer
inline constexpr size_t kMostTokenizedBytes = size_t{1} << 20;   // of a text
inline constexpr int64_t kFreeAnswerBytes = int64_t{256} << 10;  // of an answer without a lease

}  // namespace edgegate
