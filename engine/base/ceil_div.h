#pragma once

namespace edgegate {

// Quotient of `count` / `of`, rounded up. `count` >= 0, `of` > 0, and their sum is below 2^31.
constexpr int CeilDiv(int count, int of) { return (count + of - 1) / of; }

}  // namespace edgegate
