// A constraint on an output: a JSON schema, a regular expression, a grammar. The mask, the set of
// tokens that may come next, is computed outside of the engine's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/status.h"

namespace edgegate {

// The position of one sequence in its grammar. Used by one thread at a time. Only Wait() blocks.
class TokenConstraint {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // State of the next token's mask. kFailed: it cannot be computed; error() tells why. A failed
  // constraint stays failed.
  enum class State { kReady, kComputing, kFailed };

  virtual ~TokenConstraint() = default;

  // Returns an independent constraint at the same position.
  virtual std::unique_ptr<TokenConstraint> Clone() const = 0;

  virtual State Poll() = 0;
  // Like Poll(), but waits until `deadline` at most while the state is kComputing.
  virtual State Wait(TimePoint deadline) = 0;

  // Returns the mask of the next token: bit id % 32 of word id / 32. It has only end-of-text ids if
  // the output is complete. Valid until Accept(). Precondition: the state is kReady.
  virtual std::span<const uint32_t> Allowed() const = 0;

  // Records the sampled token, and starts to compute the next mask. Precondition: the state is
  // kReady.
  virtual void Accept(int32_t token) = 0;

  // The cause of kFailed. kInvalidArgument if the grammar costs more than its limits allow.
  virtual Status error() const = 0;
};

}  // namespace edgegate
