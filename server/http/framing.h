// Frames the events of a streamed answer.
#pragma once

#include <string>
#include <string_view>

namespace edgegate {

// An event of a text/event-stream (WHATWG HTML, 9.2.6). `data`: one line. `name`: the event's type;
// empty: none is given.
std::string SseEvent(std::string_view data, std::string_view name = {});

// A comment of a text/event-stream, which clients ignore.
inline constexpr std::string_view kSseComment = ":\n\n";

// A value of application/x-ndjson. `json`: one line.
std::string NdjsonLine(std::string_view json);

}  // namespace edgegate
