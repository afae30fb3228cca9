// GET /version: the version, in vLLM's shape.
#pragma once

#include "server/http/router.h"

namespace edgegate {

void AddVersion(Router* router);

}  // namespace edgegate
