// Reads all requests in some bytes as a connection does. Shared by a test and a fuzz target.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/body_decoder.h"
#include "server/http/request_head.h"

namespace edgegate {

// One line for each request, and for the error that ended them. The bytes come in pieces of the
// given sizes, used in turn.
inline std::string ReadRequests(std::string_view bytes, const std::vector<size_t>& pieces,
                                const BodyLimits& limits) {
  std::string report, input;
  std::optional<HeadParser> parser(HeadLimits{});
  std::optional<BodyDecoder> body;
  RequestHead head;
  std::string content;
  for (size_t at = 0, turn = 0; at < bytes.size(); ++turn) {
    const size_t size =
        std::min(bytes.size() - at, std::max<size_t>(pieces[turn % pieces.size()], 1));
    input += bytes.substr(at, size);
    at += size;
    while (true) {
      if (!body) {
        input.erase(0, parser->Feed(input));
        if (parser->error()) return report + std::to_string(parser->error()->status);
        if (!parser->done()) break;
        head = parser->Take();
        body.emplace(head, limits);
        content.clear();
      }
      input.erase(0, body->Feed(input, &content));
      if (body->error()) return report + std::to_string(body->error()->status);
      if (!body->done()) break;
      report += head.method + " " + head.path + "?" + head.query + " at " + head.host + " " +
                std::to_string(head.fields.size()) + (head.keep_alive ? " keep " : " close ") +
                content + "\n";
      body.reset();
      parser.emplace(HeadLimits{});
    }
  }
  return report + (parser->started() || body ? "incomplete" : "end");
}

}  // namespace edgegate
