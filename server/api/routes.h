// The endpoints of the API.
#pragma once

#include "server/api/services.h"
#include "server/http/router.h"

namespace edgegate {

// All of them. `services` outlive the router. An endpoint is added here, by one line.
Router MakeRoutes(const ApiServices& services);

}  // namespace edgegate
