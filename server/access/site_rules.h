// The names that the daemon answers to, and the web pages that may call it. The rules refuse
// requests that pages of other sites make. A browser sends the page's site in Origin, and the name
// that it looked up in Host.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// Immutable after construction: any thread may call it.
class SiteRules {
 public:
  // Allows only local names and the daemon's own origin.
  SiteRules() = default;
  // `hosts`: names, or "*.name" for all names below. `origins`: "scheme://host[:port]".
  // kInvalidArgument: an item has another form; the message names server.allowed_hosts or
  // server.allowed_origins.
  static Result<SiteRules> Make(const std::vector<std::string>& hosts,
                                const std::vector<std::string>& origins);

  // True if a request may name `host` ("name" or "name:port", lower case) as its host. These are
  // allowed: an address literal, a name without dots, this machine's name, a name under .local,
  // .lan, .home.arpa or .internal, and the listed names. DNS rebinding needs another name.
  bool AllowsHost(std::string_view host) const;

  enum class Origin { kRefused, kOwn, kListed };
  // Classifies `origin`, the Origin field of a request that named `host`.
  Origin Classify(std::string_view origin, std::string_view host) const;

 private:
  std::vector<std::string> hosts_;
  std::vector<std::string> origins_;
};

}  // namespace edgegate
