// GET /props: one model and its settings, in llama.cpp's shape.
#pragma once

#include "server/api/services.h"
#include "server/http/router.h"

namespace edgegate {

void AddProps(const ApiServices& services, Router* router);

}  // namespace edgegate
