// The checks that a request passes before its body is read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "server/access/access_rules.h"
#include "server/http/connection.h"
#include "server/http/router.h"

namespace edgegate {

// The gate's decision about a request whose head is read.
struct GateResult {
  std::optional<ShortAnswer> answer;  // nullopt: the route answers
  const Route* route = nullptr;
};

// Immutable: any thread may call it.
class Gate {
 public:
  // Returns the reason why the API is not available. nullopt: it is available. Thread-safe.
  using Availability = std::function<std::optional<HttpError>()>;

  // `router` and `rules` outlive the gate.
  Gate(const Router* router, const AccessRules* rules, uint64_t max_body_bytes,
       Availability availability);

  // Checks a request's head, in this order: host, origin, preflight, slot, key, availability, path,
  // method, type and length of the body. Sets the connection's caller, the path's parameter, and
  // the function that writes its errors.
  GateResult Check(Connection& connection) const;

 private:
  std::optional<ShortAnswer> CheckSite(Connection& connection) const;
  std::optional<ShortAnswer> CheckScope(Connection& connection, Scope scope) const;
  std::optional<ShortAnswer> CheckBody(const Connection& connection) const;

  const Router* const router_;
  const AccessRules* const rules_;
  const uint64_t max_body_bytes_;
  const Availability availability_;
};

}  // namespace edgegate
