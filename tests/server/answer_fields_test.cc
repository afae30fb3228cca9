// The header fields that every answer has.

#include "server/http/answer_fields.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace edgegate {
namespace {

RequestHead HeadWith(const std::string& request_id) {
  RequestHead head;
  head.fields.push_back({"x-request-id", request_id});
  return head;
}

TEST_CASE("a request keeps the ID that its client gives") {
  const std::string longest(128, 'a');
  for (const std::string id : {"a", "Req.1_2:3-4", longest.c_str()}) {
    CHECK(RequestIdOf(HeadWith(id)) == id);
  }
}

TEST_CASE(
    "a request without an ID, or with one that could forge a line of the log, gets a new one") {
  const std::string too_long(129, 'a');
  for (const std::string id : {"", "a b", "a\nb", "a,b", "\xc3\xa9", too_long.c_str()}) {
    CAPTURE(id);
    const std::string made = RequestIdOf(HeadWith(id));
    CHECK(made.size() == 36);
    CHECK(made.starts_with("req_"));
    CHECK(std::all_of(made.begin() + 4, made.end(), [](unsigned char c) {
      return std::isxdigit(c) != 0 && std::isupper(c) == 0;
    }));
  }
  CHECK(RequestIdOf(RequestHead{}) != RequestIdOf(RequestHead{}));
}

TEST_CASE("dates have the form of RFC 9110") {
  using std::chrono::system_clock;
  CHECK(HttpDate(system_clock::from_time_t(784111777)) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(HttpDate(system_clock::from_time_t(0)) == "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST_CASE("the fields of CORS are for pages of listed origins") {
  const HeaderList none = AnswerFields("id", std::chrono::milliseconds(1234), "");
  CHECK(none.size() == 3);
  CHECK(none[1] == std::pair<std::string, std::string>("X-Request-Id", "id"));
  CHECK(none[2] == std::pair<std::string, std::string>("Openai-Processing-Ms", "1234"));
  const HeaderList listed = AnswerFields("id", std::chrono::milliseconds(0), "http://a");
  CHECK(listed[3] ==
        std::pair<std::string, std::string>("Access-Control-Allow-Origin", "http://a"));
  CHECK(listed.size() == 6);
}

}  // namespace
}  // namespace edgegate
