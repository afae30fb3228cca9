// Rounds weights to 4-bit groups with GPTQ (Frantar et al. 2022, arXiv:2210.17323), in the form of
// QuIP's LDLQ (Chee et al. 2023, arXiv:2307.13304, theorem 6), which needs no inverse. Later
// columns compensate the rounding error of a column.
#pragma once

#include <vector>

#include "engine/ops/linear/int4/weights.h"
#include "engine/quantize/output_error.h"

namespace edgegate {

// Rounds `rows`, float [n][k], to groups, [n][Int4Groups(k)], so that their OutputError is small.
// `group` is the number of weights that share a scale and a minimum: 32 or 64. If it is 64, two
// consecutive Int4Groups have the same scale and minimum. The last group of a row may be shorter.
// Weights must be finite. Computes with the threads of ThreadPool::Current(). The result does not
// depend on their number.
std::vector<Int4Group> RoundRows(const std::vector<float>& rows, int k, const OutputError& error,
                                 int group);

}  // namespace edgegate
