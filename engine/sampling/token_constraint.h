// What an output must follow beyond the model's own wish: a JSON schema, a regular expression.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// Where one sequence stands in it. Used by one thread at a time.
class TokenConstraint {
 public:
  virtual ~TokenConstraint() = default;

  // One at the same place, which goes its own way from there.
  virtual std::unique_ptr<TokenConstraint> Clone() const = 0;

  // The ids that may come next: bit id % 32 of word id / 32; only end-of-text where nothing else
  // may. kInternal where finding them took too much work.
  virtual Result<std::vector<uint32_t>> Allowed() = 0;

  // One of them came.
  virtual Status Accept(int32_t token) = 0;
};

}  // namespace edgegate
