// What an output must follow beyond the model's own choice: a JSON schema, a regular expression, a
// grammar. Which tokens may come next (the mask) is computed outside of the engine's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/status.h"

namespace edgegate {

// The position of one sequence in its grammar. Used by one thread at a time. No method but Wait()
// blocks.
class TokenConstraint {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // kComputing: the mask of the next token is not there yet.
  // kFailed: it cannot be computed; error() says why. A failed constraint stays failed.
  enum class State { kReady, kComputing, kFailed };

  virtual ~TokenConstraint() = default;

  // A constraint at the same position, which continues independently.
  virtual std::unique_ptr<TokenConstraint> Clone() const = 0;

  virtual State Poll() = 0;
  // Poll(), but waits until `deadline` while the state is kComputing.
  virtual State Wait(TimePoint deadline) = 0;

  // The ids that may come next: bit id % 32 of word id / 32. Only end-of-text ids where the output
  // is complete. Valid until Accept(). Precondition: the state is kReady.
  virtual std::span<const uint32_t> Allowed() const = 0;

  // The token was sampled: starts to compute the mask of the one after it. Precondition: the state
  // is kReady.
  virtual void Accept(int32_t token) = 0;

  // Why the state is kFailed. kInvalidArgument when the grammar costs more than its limits allow.
  virtual Status error() const = 0;
};

}  // namespace edgegate
