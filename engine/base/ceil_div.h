#pragma once

namespace edgegate {

// The number of parts of at most `of` that `count` divides into. `count` >= 0, `of` > 0, and their
// sum is below 2^31.
constexpr int CeilDiv(int count, int of) { return (count + of - 1) / of; }

}  // namespace edgegate
