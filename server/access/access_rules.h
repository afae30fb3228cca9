// The callers and pages that may use the daemon.
#pragma once

#include "server/access/api_keys.h"
#include "server/access/site_rules.h"

namespace edgegate {

// Immutable after it is passed to the server.
struct AccessRules {
  ApiKeys keys;     // empty: no key is required
  SiteRules sites;  // names that the daemon answers to, pages that may use it
};

}  // namespace edgegate
