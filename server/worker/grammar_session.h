// A grammar that a worker process serves. The daemon sends the sampled tokens. The worker answers
// with the masks of the next tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/sampling/token_constraint.h"
#include "server/access/memory_budget.h"
#include "server/worker/process.h"

namespace edgegate {

// Memory that a worker may allocate after it has compiled its grammar.
inline constexpr int64_t kGrammarGrowth = int64_t{12} << 20;

// Makes the constraint at the grammar's start, whose mask is `mask`. `lease` holds the worker's
// memory. The worker ends with the last clone. The constraint fails if a mask takes more than 500
// ms of processor time or 4 s in all, or if the worker dies.
std::unique_ptr<TokenConstraint> MakeGrammarConstraint(std::unique_ptr<WorkerProcess> worker,
                                                       std::vector<uint32_t> mask,
                                                       MemoryBudget::Lease lease);

}  // namespace edgegate
