// The endpoints of the API.
#pragma once

#include "server/api/services.h"
#include "server/http/router.h"

namespace edgegate {

// Makes the router with all endpoints. `services` must outlive the router. A new endpoint adds one
// line to this function.
Router MakeRoutes(const ApiServices& services);

}  // namespace edgegate
