// The names that the daemon answers to, and the web pages that may call it. The rules keep pages of
// other sites out: a browser names the page's site in Origin, and the name it looked up in Host.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// Immutable after it is made: any thread may call it.
class SiteRules {
 public:
  // Only local names and the daemon's own origin.
  SiteRules() = default;
  // `hosts`: names, or "*.name" for all below. `origins`: "scheme://host[:port]". kInvalidArgument,
  // naming server.allowed_hosts or server.allowed_origins, when an item is neither.
  static Result<SiteRules> Make(const std::vector<std::string>& hosts,
                                const std::vector<std::string>& origins);

  // True where a request may name `host` ("name" or "name:port", lower case) as its host: an
  // address literal, a name without dots, this machine's name, a name under .local, .lan,
  // .home.arpa or .internal, or a listed one. Only browsers can be made to send another one by DNS.
  bool AllowsHost(std::string_view host) const;

  enum class Origin { kRefused, kOwn, kListed };
  // Classifies `origin`, the Origin field of a request that named `host`.
  Origin Classify(std::string_view origin, std::string_view host) const;

 private:
  std::vector<std::string> hosts_;
  std::vector<std::string> origins_;
};

}  // namespace edgegate
