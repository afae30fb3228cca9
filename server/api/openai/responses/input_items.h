// Lists the input items of a stored response.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <variant>

#include "server/api/openai/responses/store.h"
#include "server/call/call_error.h"

namespace edgegate {

// Returns a page of the items of all turns up to the response. `query`: the request's query, with
// `limit`, `order` and `after`. Items without an id get one that is the same each time.
// Thread-safe.
std::variant<nlohmann::ordered_json, CallError> ListInputItems(const StoredResponse& response,
                                                               std::string_view query);

}  // namespace edgegate
