// Anthropic's endpoints: /v1/messages and /v1/messages/count_tokens.
#pragma once

#include "server/api/services.h"
#include "server/http/router.h"

namespace edgegate {

// Adds the routes.
void AddMessages(const ApiServices& services, Router* router);

}  // namespace edgegate
