// The steps that the endpoints share: the body, the model, the deadline and errors.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "server/api/services.h"
#include "server/api/warnings.h"
#include "server/call/call_error.h"
#include "server/http/exchange.h"

namespace edgegate {

// Time between two looks at whether the client has left.
inline constexpr auto kClientCheck = std::chrono::milliseconds(20);
// A client that has ended its sending half looks as if it had left. After this time a few bytes are
// sent to test it. Some clients end their sending half on purpose and wait for the answer. The time
// is long enough for a short answer.
inline constexpr auto kAnswerPatience = std::chrono::milliseconds(400);
// The same for work before the model runs, such as tokenizing.
inline constexpr auto kJobPatience = std::chrono::milliseconds(80);

// Converts the error to an HTTP error.
HttpError ToHttp(const CallError& error);

// Makes the error for a failure of ModelCatalog::Find().
CallError NoModel(const Status& status);

// Reads the body and charges it to the lease. An error is the answer to the client.
std::variant<std::string, HttpError> ReadBody(Exchange& exchange, MemoryBudget::Lease* lease);

// Returns the model of this name. An empty name stands for the model in the path.
std::variant<const ServedModel*, CallError> ModelFor(const ApiServices& services,
                                                     const std::string& name,
                                                     const Exchange& exchange);

// Returns the error for a member that edgegate does not know, if `server.strict` refuses it.
std::optional<CallError> CheckStrict(const ApiServices& services, const Warnings& warnings);

// Returns what the access log tells about the warnings: ", TEXT" for each.
std::string WarningsNote(const Warnings& warnings);

// Does the same as ModelFor(). Without a name, returns the only model that is served.
std::variant<const ServedModel*, CallError> ModelOrOnly(const ApiServices& services,
                                                        const std::string& name,
                                                        const Exchange& exchange);

// Returns the time at which a request that begins now must end. Empty: there is no limit.
std::optional<std::chrono::steady_clock::time_point> DeadlineOf(const ApiServices& services);

}  // namespace edgegate
