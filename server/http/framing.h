// Frames the events of a streamed answer.
#pragma once

#include <string>
#include <string_view>

namespace edgegate {

// Returns an event of a text/event-stream (WHATWG HTML, 9.2.6). `data`: one line. `name`: the
// event's type; empty: the event has no type.
std::string SseEvent(std::string_view data, std::string_view name = {});

inline constexpr char kSseType[] = "text/event-stream; charset=utf-8";

// A comment of a text/event-stream, which clients ignore.
inline constexpr std::string_view kSseComment = ":\n\n";

// Returns a line of application/x-ndjson. `json`: a value on one line.
std::string NdjsonLine(std::string_view json);

}  // namespace edgegate
