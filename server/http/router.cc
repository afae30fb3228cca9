#include "server/http/router.h"

#include <algorithm>
#include <utility>

namespace edgegate {
namespace {

// Returns the path before its parameter, or the whole path if it has none.
std::string_view PrefixOf(std::string_view path) { return path.substr(0, path.find('{')); }

// Returns the path behind its parameter. Empty: it has none.
std::string_view SuffixOf(std::string_view path) {
  const size_t close = path.find('}');
  return close == std::string_view::npos ? std::string_view() : path.substr(close + 1);
}

}  // namespace

void Router::Add(Route route) { routes_.push_back(std::move(route)); }

void Router::AddAlias(std::string from, std::string to) {
  aliases_.push_back({std::move(from), std::move(to)});
}

Router::Match Router::Find(std::string_view path) const {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (const Alias& alias : aliases_) {
    const std::string_view prefix = PrefixOf(alias.from);
    if (!path.starts_with(prefix)) continue;
    std::string_view rest = path.substr(prefix.size()), name;
    if (prefix.size() < alias.from.size()) {
      name = rest.substr(0, rest.find('/'));
      rest.remove_prefix(name.size());
    }
    if (!rest.starts_with('/')) continue;
    Match match = FindExact(alias.to + std::string(rest));
    if (match.parameter.empty()) match.parameter = name;
    return match;
  }
  return FindExact(path);
}

Router::Match Router::FindExact(std::string_view path) const {
  Match match;
  size_t longest = 0;
  for (const Route& route : routes_) {
    const std::string_view prefix = PrefixOf(route.path);
    const bool has_parameter = prefix.size() < route.path.size();
    const std::string_view suffix = SuffixOf(route.path);
    if (has_parameter && path.size() > prefix.size() + suffix.size() && path.starts_with(prefix) &&
        path.ends_with(suffix) && suffix.size() >= longest) {
      if (suffix.size() > longest) match.routes.clear();
      longest = suffix.size();
      match.parameter = path.substr(prefix.size(), path.size() - prefix.size() - longest);
    } else if (has_parameter || path != route.path) {
      continue;
    }
    match.routes.push_back(&route);
  }
  return match;
}

std::string Router::Match::Allow() const {
  std::string allow;
  for (const Route* route : routes) {
    allow += route->method + ", ";
    if (route->method == "GET") allow += "HEAD, ";
  }
  return allow + "OPTIONS";
}

const Route* Router::Match::ForMethod(std::string_view method) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  const auto found = std::find_if(routes.begin(), routes.end(),
                                  [&](const Route* route) { return route->method == wanted; });
  return found == routes.end() ? nullptr : *found;
}

}  // namespace edgegate
