// GET /openapi.json: the description of the API (OpenAPI 3.1), written from the routes.
#pragma once

#include "server/http/router.h"

namespace edgegate {

// Describes the routes that the router has, and itself.
void AddOpenApi(Router* router);

}  // namespace edgegate
