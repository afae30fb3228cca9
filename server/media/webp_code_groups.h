// Computes the memory that libwebp takes for the code tables of a lossless WebP image (RFC 9649,
// section 3). Only the entropy-coded data has the number of tables. A file of 300 KB can require
// 65,536 groups of five tables, or 700 MiB.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace edgegate {

// Returns an upper bound of the size of the tables, in bytes. `data` begins after the header with
// the dimensions. Reads the transforms and the entropy image, but no pixels. nullopt: the data is
// damaged. Time: linear in the size of the data. Thread-safe.
std::optional<int64_t> WebpCodeTableBytes(std::string_view data, int width, int height);

}  // namespace edgegate
