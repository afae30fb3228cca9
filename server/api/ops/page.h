// GET / and GET /page/...: the chat page (server/page).
#pragma once

#include "server/api/services.h"
#include "server/http/router.h"

namespace edgegate {

// Adds a route for each file of the page. No effect if `services.page` is false.
void AddPage(const ApiServices& services, Router* router);

}  // namespace edgegate
