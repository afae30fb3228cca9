// GET /openapi.json: the description of the API (OpenAPI 3.1), written from the routes and from the
// files that they name (api_files.h).
#pragma once

#include <string>

#include "server/http/router.h"

namespace edgegate {

// Describes the routes that the router has, and itself.
void AddOpenApi(Router* router);

// Returns the description of the routes, as JSON. Precondition: a file that a route names exists.
std::string DescribeApi(const Router& router);

}  // namespace edgegate
