#include "server/api/api_server.h"

#include <utility>

#include "server/api/endpoint.h"
#include "server/api/routes.h"

namespace edgegate {
namespace {

ApiServices WithDraining(ApiServices services, const std::atomic<bool>* draining) {
  services.draining = draining;
  return services;
}

}  // namespace

ApiServer::ApiServer(const HttpOptions& options, AccessRules rules, ApiServices services)
    : services_(WithDraining(std::move(services), &draining_)),
      http_(options, std::move(rules), MakeRoutes(services_), [this] { return Unavailability(); }) {
}

std::optional<HttpError> ApiServer::Unavailability() const {
  const auto unavailable = [](const char* why) { return ToHttp({Unavailable("{}", why)}); };
  if (draining_) return unavailable("the server is shutting down");
  if (!services_.catalog->any_ready()) return unavailable("the models are still loading");
  return std::nullopt;
}

}  // namespace edgegate
