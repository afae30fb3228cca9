// GET /health: the state of the daemon and of its models.
#pragma once

#include "server/api/services.h"
#include "server/http/router.h"

namespace edgegate {

void AddHealth(const ApiServices& services, Router* router);

}  // namespace edgegate
