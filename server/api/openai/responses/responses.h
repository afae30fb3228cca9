// The endpoint /v1/responses.
#pragma once

#include "server/api/services.h"
#include "server/http/router.h"

namespace edgegate {

// Adds the routes that make, return, list and delete responses. They share one store.
void AddResponses(const ApiServices& services, Router* router);

}  // namespace edgegate
