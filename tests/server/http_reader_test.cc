// Heads and bodies of requests: accepted and refused forms. The result does not depend on the sizes
// of the pieces in which the bytes arrive.

#include <doctest/doctest.h>

#include <random>
#include <span>

#include "tests/server/read_requests.h"

namespace edgegate {
namespace {

struct Head {
  int error = 0;  // 0: none
  RequestHead head;
  size_t consumed = 0;
};

Head Parse(std::string_view bytes) {
  HeadParser parser{HeadLimits{}};
  Head out;
  out.consumed = parser.Feed(bytes);
  if (parser.error()) {
    out.error = parser.error()->status;
    CHECK(parser.Feed("x") == 0);
  } else if (parser.done()) {
    out.head = parser.Take();
  } else {
    out.error = -1;  // incomplete
  }
  return out;
}

std::string Line(const std::string& line) { return line + "\r\nHost: a\r\n\r\n"; }
std::string Fields(const std::string& fields) { return "POST / HTTP/1.1\r\nHost: a\r\n" + fields; }

TEST_CASE("request lines: accepted and refused forms") {
  struct Case {
    std::string line;
    int error;
    const char* path = "";
  };
  const Case cases[] = {
      {"GET / HTTP/1.1", 0, "/"},
      {"GET /a%20b%2F?x=%20 HTTP/1.1", 0, "/a b/"},
      {"OPTIONS * HTTP/1.1", 0, "*"},
      {"GET http://B.c:8080/x HTTP/1.1", 0, "/x"},
      {"GET HTTP://b HTTP/1.1", 0, "/"},
      {"GET http://b?x HTTP/1.1", 0, "/"},
      {"M-SEARCH / HTTP/1.0", 0, "/"},
      {"GET / HTTP/1.9", 0, "/"},
      {"GET * HTTP/1.1", 400},
      {"GET  / HTTP/1.1", 400},
      {"GET / HTTP/1.1 ", 400},
      {" GET / HTTP/1.1", 400},
      {"GET\t/ HTTP/1.1", 400},
      {"GET /", 400},
      {"GET", 400},
      {"GET / HTTP/1.11", 400},
      {"GET / http/1.1", 400},
      {"GET / HTTP/9", 400},
      {"GET / HTTP/2.0", 400},
      {"GET / HTTP/0.9", 400},
      {"G(T / HTTP/1.1", 400},
      {"GET a HTTP/1.1", 400},
      {"GET /a b HTTP/1.1", 400},
      {"GET /% HTTP/1.1", 400},
      {"GET /%4 HTTP/1.1", 400},
      {"GET /%4g HTTP/1.1", 400},
      {"GET /%u0041 HTTP/1.1", 400},
      {"GET /%00 HTTP/1.1", 400},
      {"GET /?%00 HTTP/1.1", 400},
      {"GET /a#b HTTP/1.1", 400},
      {"GET /\xc3\xa4 HTTP/1.1", 400},
      {"GET /\"x\" HTTP/1.1", 400},
      {"GET ftp://b/ HTTP/1.1", 400},
      {"GET http:/// HTTP/1.1", 400},
      {"GET http://u@b/ HTTP/1.1", 400},
      {"GET http://b:99999/ HTTP/1.1", 400},
      {"GET http://[::1/ HTTP/1.1", 400},
      {"CONNECT b:80 HTTP/1.1", 400},
      {"GET /" + std::string(8192, 'a'), 414},
      {"GET /" + std::string(8192 - 14, 'a') + " HTTP/1.1", 0},
      {std::string(9000, 'A'), 414},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line);
    const Head head = Parse(Line(c.line));
    CHECK(head.error == c.error);
    if (c.error == 0 && *c.path != '\0') CHECK(head.head.path == c.path);
  }
}

TEST_CASE("request lines: host, version, and one empty line before") {
  CHECK(Parse(Line("GET http://B.c:8080/x HTTP/1.1")).head.host == "b.c:8080");
  CHECK(Parse(Line("GET / HTTP/1.0")).head.minor_version == 0);
  CHECK(Parse(Line("GET / HTTP/1.9")).head.minor_version == 1);
  CHECK(Parse("\r\n" + Line("GET / HTTP/1.1")).error == 0);
  CHECK(Parse("\r\n\r\n" + Line("GET / HTTP/1.1")).error == 400);
}

struct FieldsCase {
  std::string fields;
  int error;
};

void CheckFields(std::span<const FieldsCase> cases) {
  for (const FieldsCase& c : cases) {
    CAPTURE(c.fields.substr(0, 60));
    CHECK(Parse(Fields(c.fields)).error == c.error);
  }
}

TEST_CASE("header fields: accepted and refused forms") {
  const std::string many(100 * 6, ' ');
  std::string hundred, large;
  for (int i = 0; i < 99; ++i) hundred += "X: y\r\n";
  for (int i = 0; i < 7; ++i) large += "X: " + std::string(9000, 'y') + "\r\n";
  const FieldsCase cases[] = {
      {"X: y\r\n\r\n", 0},
      {"X:\r\n\r\n", 0},
      {"X:\t y \xff\r\n\r\n", 0},
      {hundred + "\r\n", 0},
      {hundred + "X: y\r\n\r\n", 431},
      {large + "\r\n", 0},
      {large + large, 431},
      {"X: " + std::string(70000, 'y'), 431},
      {"X : y\r\n\r\n", 400},
      {": y\r\n\r\n", 400},
      {"X\r\n\r\n", 400},
      {" X: y\r\n\r\n", 400},
      {"X: y\r\n z\r\n\r\n", 400},
      {"X: y\n\r\n", 400},
      {"X: y\rz\r\n\r\n", 400},
      {std::string("X: \0\r\n\r\n", 8), 400},
      {"X: \x7f\r\n\r\n", 400},
      {"X(: y\r\n\r\n", 400},
      {"Host: a\r\n\r\n", 400},
      {"Authorization: a\r\nauthorization: a\r\n\r\n", 400},
      {"Origin: a\r\nOrigin: a\r\n\r\n", 400},
      {"Expect: 100-Continue\r\n\r\n", 0},
      {"Expect: x\r\n\r\n", 417},
      {"X: y\r\n", -1},
  };
  CheckFields(cases);
}

TEST_CASE("header fields that frame the body: accepted and refused forms") {
  const FieldsCase cases[] = {
      {"Content-Length: 5\r\n\r\n", 0},
      {"Content-Length: 005\r\n\r\n", 0},
      {"Content-Length: 99999999999999999999999\r\n\r\n", 0},
      {"Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
      {"Content-Length: 5, 5\r\n\r\n", 400},
      {"Content-Length: +5\r\n\r\n", 400},
      {"Content-Length: -5\r\n\r\n", 400},
      {"Content-Length: 0x5\r\n\r\n", 400},
      {"Content-Length: 5 5\r\n\r\n", 400},
      {"Content-Length: 5.0\r\n\r\n", 400},
      {"Content-Length:\r\n\r\n", 400},
      {"Transfer-Encoding: CHUNKED\r\n\r\n", 0},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
      {"Transfer-Encoding: gzip, chunked\r\n\r\n", 400},
      {"Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
      {"Transfer-Encoding: chunked;q=1\r\n\r\n", 400},
      {"Transfer-Encoding: \"chunked\"\r\n\r\n", 400},
      {"Transfer-Encoding:\r\n\r\n", 400},
      {"Transfer-Encoding : chunked\r\n\r\n", 400},
  };
  CheckFields(cases);
  CHECK(Parse("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").error == 400);
}

TEST_CASE("Host is required from HTTP/1.1 on, and must be valid") {
  CHECK(Parse("GET / HTTP/1.0\r\n\r\n").error == 0);
  CHECK(Parse("GET / HTTP/1.1\r\n\r\n").error == 400);
  for (const char* host :
       {"", " ", "a b", "a@b", "a:", "a:x", "a:99999", "[::1", "a/b", ".a", "a..b"}) {
    CAPTURE(host);
    CHECK(Parse(std::string("GET / HTTP/1.1\r\nHost: ") + host + "\r\n\r\n").error == 400);
  }
}

TEST_CASE("Connection and HTTP version decide whether the connection stays open") {
  const auto keeps = [](const std::string& version, const std::string& field) {
    return Parse("GET / HTTP/" + version + "\r\nHost: A.:80\r\n" + field + "\r\n").head.keep_alive;
  };
  CHECK(keeps("1.1", ""));
  CHECK(keeps("1.1", "Connection: x, keep-alive\r\n"));
  CHECK_FALSE(keeps("1.1", "Connection: x , CLOSE\r\n"));
  CHECK_FALSE(keeps("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  CHECK_FALSE(keeps("1.0", ""));
  CHECK(keeps("1.0", "Connection: Keep-Alive\r\n"));
  const std::string text = Fields("X-Name: A%41 \r\n\r\n") + "next";
  const Head head = Parse(text);
  CHECK(head.consumed == text.size() - 4);
  REQUIRE(head.head.Find("x-name") != nullptr);
  CHECK(*head.head.Find("x-name") == "A%41");
  CHECK(Parse("GET / HTTP/1.1\r\nHost: LocalHost.:80\r\n\r\n").head.host == "localhost:80");
}

struct Body {
  int error = 0;
  std::string content;
};

Body Decode(const std::string& bytes) {
  const RequestHead head = Parse(Fields("Transfer-Encoding: chunked\r\n\r\n")).head;
  BodyDecoder decoder(head, {.body_bytes = 100});
  Body out;
  decoder.Feed(bytes, &out.content);
  out.error = decoder.error() ? decoder.error()->status : decoder.done() ? 0 : -1;
  return out;
}

TEST_CASE("chunked bodies: accepted and refused framing") {
  struct Case {
    std::string bytes;
    int error;
    const char* content = "";
  };
  std::string extensions;
  for (int i = 0; i < 40; ++i) extensions += "1;" + std::string(500, 'x') + "\r\na\r\n";
  const Case cases[] = {
      {"0\r\n\r\n", 0},
      {"000\r\n\r\n", 0},
      {"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", 0, "hello!"},
      {"A\r\n0123456789\r\n0\r\n\r\n", 0, "0123456789"},
      {"5;a=\"b\"\r\nhello\r\n0 ;x\r\n\r\n", 0, "hello"},
      {"0\r\nX: y\r\nZ:\r\n\r\n", 0},
      {"5\r\nhel", -1, "hel"},
      {"64\r\n" + std::string(100, 'a') + "\r\n0\r\n\r\n", 0},
      {"65\r\n", 413},
      {"60\r\n" + std::string(96, 'a') + "\r\n5\r\n", 413},
      {"ffffffffffffffffffffffffff\r\n", 413},
      {"\r\n", 400},
      {"5 \r\nhello\r\n", 400},
      {" 5\r\nhello\r\n", 400},
      {"+5\r\nhello\r\n", 400},
      {"-1\r\n", 400},
      {"0x5\r\nhello\r\n", 400},
      {"5,\r\nhello\r\n", 400},
      {";x\r\n", 400},
      {"5\nhello\r\n", 400},
      {"5\r\nhello\n", 400},
      {"5\r\nhelloo\r\n", 400},
      {"5\r\nhello\rx", 400},
      {"5\rx", 400},
      {"5;\x01\r\n", 400},
      {"5;" + std::string(2000, 'x'), 400},
      {"5" + std::string(2000, '0'), 400},
      {extensions, 400},
      {"0\r\nX : y\r\n\r\n", 400},
      {"0\r\n x\r\n\r\n", 400},
      {"0\r\nX: " + std::string(9000, 'y'), 431},
  };
  for (const Case& c : cases) {
    CAPTURE(c.bytes.substr(0, 60));
    const Body body = Decode(c.bytes);
    CHECK(body.error == c.error);
    if (c.error <= 0 && *c.content != '\0') CHECK(body.content == c.content);
  }
}

TEST_CASE("bodies with Content-Length: exact length and limit") {
  const auto decode = [](const std::string& length, std::string_view bytes, std::string* out) {
    BodyDecoder decoder(Parse(Fields("Content-Length: " + length + "\r\n\r\n")).head,
                        {.body_bytes = 100});
    CHECK(decoder.Feed(bytes, out) <= bytes.size());
    return decoder.error() ? decoder.error()->status : decoder.done() ? 0 : -1;
  };
  std::string out;
  CHECK(decode("0", "next", &out) == 0);
  CHECK(out.empty());
  CHECK(decode("5", "hellonext", &out) == 0);
  CHECK(out == "hello");
  CHECK(decode("5", "hell", &out) == -1);
  CHECK(decode("101", "", &out) == 413);
  CHECK(decode("184467440737095516160", "", &out) == 413);
}

TEST_CASE("reading does not depend on how the bytes are cut into reads") {
  const std::string good =
      "POST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;x=y\r\nhello\r\n3\r\n!!!\r\n0\r\nX: y\r\n\r\n"
      "POST /c HTTP/1.0\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"
      "\r\nGET http://b/d HTTP/1.1\r\nHost: a\r\n\r\n";
  std::mt19937 random(1);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = good;
    // Some are broken at one place.
    if (i % 3 != 0) bytes[below(bytes.size())] = "\r\n :;,0a\0\x80"[below(10)];
    const std::string whole = ReadRequests(bytes, {bytes.size()}, {.body_bytes = 1000});
    std::vector<size_t> pieces(1 + below(7));
    for (size_t& piece : pieces) piece = 1 + below(i % 2 ? 3 : 40);
    CAPTURE(bytes);
    CHECK(ReadRequests(bytes, pieces, {.body_bytes = 1000}) == whole);
    if (i == 0)
      CHECK(whole.find("POST /a?b at a 2 keep hello!!!\nPOST /c? at  2 close body\n") == 0);
  }
}

}  // namespace
}  // namespace edgegate
