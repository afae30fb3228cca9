// The frames of streamed answers.

#include "server/http/framing.h"

#include <doctest/doctest.h>

namespace edgegate {
namespace {

TEST_CASE("server-sent events end with an empty line") {
  CHECK(SseEvent("{}") == "data: {}\n\n");
  CHECK(SseEvent("{}", "delta") == "event: delta\ndata: {}\n\n");
  CHECK(SseEvent("") == "data: \n\n");
}

TEST_CASE("a line of NDJSON ends with a newline") { CHECK(NdjsonLine("{}") == "{}\n"); }

}  // namespace
}  // namespace edgegate
