// GET /health: whether the daemon works, and what its models do.
#pragma once

#include "server/api/services.h"
#include "server/http/router.h"

namespace edgegate {

void AddHealth(const ApiServices& services, Router* router);

}  // namespace edgegate
