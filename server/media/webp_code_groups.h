// Computes the memory that libwebp takes for the code tables of a lossless WebP image (RFC 9649,
// section 3). The number of tables is told only by the entropy-coded data: a file of 300 KB can ask
// for 65,536 groups of five tables, or 700 MiB.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace edgegate {

// At most so many bytes for the tables of the image stream, which begins behind the header with the
// dimensions. Reads the transforms and the entropy image, but no pixels. nullopt: the stream is
// damaged. Takes a time that is linear in its size. Thread-safe.
std::optional<int64_t> WebpCodeTableBytes(std::string_view stream, int width, int height);

}  // namespace edgegate
