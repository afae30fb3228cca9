#include "server/access/site_rules.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>

namespace edgegate {
namespace {

constexpr const char* kLocalSuffixes[] = {".local", ".lan", ".home.arpa", ".internal"};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Returns `host` without its port.
std::string_view NameOf(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, std::min(host.find(':'), host.size()));
}

bool IsAddress(std::string_view name) {
  if (name.starts_with('[')) return true;  // the reader has checked it
  in_addr address;
  return inet_pton(AF_INET, std::string(name).c_str(), &address) == 1;
}

bool IsMachineName(std::string_view name) {
  char own[256] = {};
  if (gethostname(own, sizeof own - 1) != 0) return false;
  return name == Lower(own);
}

// Returns "scheme://host[:port]" in lower case, without the port if it is the scheme's default.
// nullopt: `text` does not have that form.
std::optional<std::string> NormalOrigin(std::string_view text) {
  std::string origin = Lower(text);
  const size_t scheme = origin.find("://");
  if (scheme == std::string::npos || scheme == 0) return std::nullopt;
  const size_t host = scheme + 3;
  if (host == origin.size() || origin.find_first_of("/?#@ ,", host) != std::string::npos) {
    return std::nullopt;
  }
  for (const auto& [name, port] : {std::pair("http", ":80"), std::pair("https", ":443")}) {
    if (origin.substr(0, scheme) == name && origin.ends_with(port)) {
      origin.resize(origin.size() - std::string_view(port).size());
    }
  }
  return origin;
}

}  // namespace

Result<SiteRules> SiteRules::Make(const std::vector<std::string>& hosts,
                                  const std::vector<std::string>& origins) {
  SiteRules rules;
  for (const std::string& host : hosts) {
    const std::string_view name =
        host.starts_with("*.") ? std::string_view(host).substr(2) : std::string_view(host);
    if (name.empty() || name.find_first_of("*/:@ ") != std::string_view::npos) {
      return InvalidArgument("server.allowed_hosts: \"{}\" is neither a host name nor *.name",
                             host);
    }
    rules.hosts_.push_back(Lower(host));
  }
  for (const std::string& origin : origins) {
    auto normal = NormalOrigin(origin);
    if (!normal) {
      return InvalidArgument(
          "server.allowed_origins: \"{}\" is not of the form "
          "http://host[:port] or https://host[:port]",
          origin);
    }
    rules.origins_.push_back(*std::move(normal));
  }
  return rules;
}

bool SiteRules::AllowsHost(std::string_view host) const {
  const std::string_view name = NameOf(host);
  if (IsAddress(name) || name.find('.') == std::string_view::npos) return true;
  for (const char* suffix : kLocalSuffixes) {
    if (name.ends_with(suffix)) return true;
  }
  if (IsMachineName(name)) return true;
  return std::any_of(hosts_.begin(), hosts_.end(), [&](const std::string& listed) {
    if (!listed.starts_with("*.")) return name == listed;
    return name.size() >= listed.size() && name.ends_with(std::string_view(listed).substr(1));
  });
}

SiteRules::Origin SiteRules::Classify(std::string_view origin, std::string_view host) const {
  const auto normal = NormalOrigin(origin);
  if (!normal) return Origin::kRefused;  // "null" too
  if (std::find(origins_.begin(), origins_.end(), *normal) != origins_.end()) {
    return Origin::kListed;
  }
  const auto own = NormalOrigin("http://" + std::string(host));
  return !host.empty() && own == normal ? Origin::kOwn : Origin::kRefused;
}

}  // namespace edgegate
