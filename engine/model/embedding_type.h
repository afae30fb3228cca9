// The element type of an embedding table, which is that of the published model.
#pragma once

#include <cstdint>

namespace edgegate {

enum class EmbeddingType : uint8_t { kF32, kF16, kBf16 };

}  // namespace edgegate
