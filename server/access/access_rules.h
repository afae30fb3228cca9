// The callers and pages that may use the daemon.
#pragma once

#include "server/access/api_keys.h"
#include "server/access/site_rules.h"

namespace edgegate {

// Immutable once the server has it.
struct AccessRules {
  ApiKeys keys;     // none: no key is asked for
  SiteRules sites;  // names that the daemon answers to, pages that may use it
};

}  // namespace edgegate
