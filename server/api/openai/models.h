// GET /v1/models, which is GET /models too, and GET /v1/models/{model}.
#pragma once

#include "server/api/services.h"
#include "server/http/router.h"

namespace edgegate {

void AddModels(const ApiServices& services, Router* router);

}  // namespace edgegate
