// Requests to a test site, and their answers as JSON and as events.
#pragma once

#include <string>
#include <vector>

#include "tests/server/http_site.h"

namespace edgegate {

struct Event {
  std::string name;
  json data;
};

// Splits a stream of server-sent events. Comments are dropped.
inline std::vector<Event> Events(const std::string& stream) {
  std::vector<Event> events;
  for (size_t at = 0; at < stream.size();) {
    const size_t end = stream.find("\n\n", at);
    REQUIRE(end != std::string::npos);
    std::string block = stream.substr(at, end - at);
    at = end + 2;
    if (block.starts_with(":")) continue;
    Event event;
    if (block.starts_with("event: ")) {
      event.name = block.substr(7, block.find('\n') - 7);
      block.erase(0, block.find('\n') + 1);
    }
    REQUIRE(block.starts_with("data: "));
    event.data = json::parse(block.substr(6));
    events.push_back(std::move(event));
  }
  return events;
}

// Splits a stream of lines.
inline std::vector<json> Lines(const std::string& stream) {
  std::vector<json> lines;
  for (size_t at = 0; at < stream.size();) {
    const size_t end = stream.find('\n', at);
    REQUIRE(end != std::string::npos);
    lines.push_back(json::parse(stream.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

inline std::string PostText(Site& site, const char* path, const json& body, int status = 200) {
  auto client = site.Client();
  const auto answer = client.Post(path, body.dump(), "application/json");
  REQUIRE(answer);
  REQUIRE_MESSAGE(answer->status == status, answer->body);
  return answer->body;
}

inline json PostJson(Site& site, const char* path, const json& body, int status = 200) {
  return json::parse(PostText(site, path, body, status));
}

}  // namespace edgegate
