// A grammar that a worker process serves: the daemon tells it the sampled tokens, and it answers
// with the masks of the next ones.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/sampling/token_constraint.h"
#include "server/access/memory_budget.h"
#include "server/worker/process.h"

namespace edgegate {

// Memory that a worker may add, once it has compiled its grammar.
inline constexpr int64_t kGrammarGrowth = int64_t{12} << 20;

// The constraint at the grammar's start, whose mask is `mask`. `lease` holds the worker's memory.
// The worker ends with the last clone. A mask may take 500 ms of processor time, or 4 s in all;
// the constraint then fails, as it does when the worker dies.
std::unique_ptr<TokenConstraint> MakeGrammarConstraint(std::unique_ptr<WorkerProcess> worker,
                                                       std::vector<uint32_t> mask,
                                                       MemoryBudget::Lease lease);

}  // namespace edgegate
