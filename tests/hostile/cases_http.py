"""Framing, limits and routes of HTTP; whole conversations on one connection, as bytes."""

from case import CHAT, EITHER, REFUSED, TEXT, Case, raw
from generate import join, repeat

MIB = 1 << 20
GOOD = b'{"model":"smol","prompt":"Once","max_tokens":2}'
HOST = b"Host: 127.0.0.1\r\n"
JSON = b"Content-Type: application/json\r\n"
START = b"POST /v1/completions HTTP/1.1\r\n" + HOST + JSON
SMUGGLED = b"GET /v1/models HTTP/1.1\r\n" + HOST + b"\r\n"


def framing(name, head, *body, **more):
    """A request with invalid framing: 400, and the bytes after it are not read as a request."""
    return raw("framing", name, join(START, head, b"\r\n", *body),
               **{"expect": REFUSED, "closes": True, **more})


def length(value):
    return b"Content-Length: " + value + b"\r\n"


CHUNKED = b"Transfer-Encoding: chunked\r\n"
SIZE = str(len(GOOD)).encode()
CHUNK = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)

CASES = [
    framing("two lengths that differ", length(SIZE) + length(b"5"), GOOD),
    framing("two lengths alike", length(SIZE) + length(SIZE), GOOD, expect=EITHER, closes=False),
    framing("a list of lengths", length(SIZE + b", " + SIZE), GOOD),
    framing("a signed length", length(b"+" + SIZE), GOOD),
    framing("a negative length", length(b"-1"), GOOD),
    framing("a hexadecimal length", length(b"0x2f"), GOOD),
    framing("a length with a space inside", length(b"4 7"), GOOD),
    framing("an empty length", length(b""), GOOD),
    framing("a length of 30 digits", length(b"9" * 30), GOOD, expect=(400, 413)),
    framing("a length of 2^64", length(b"18446744073709551616"), GOOD, expect=(400, 413)),
    framing("a length of letters", length(b"many"), GOOD),
    framing("length and chunked", length(SIZE) + CHUNKED, CHUNK, SMUGGLED),
    framing("chunked and length", CHUNKED + length(b"4"), CHUNK, SMUGGLED),
    framing("chunked, twice", CHUNKED + CHUNKED, CHUNK, SMUGGLED),
    framing("chunked, identity", b"Transfer-Encoding: chunked, identity\r\n", CHUNK, SMUGGLED,
            expect=(400, 501)),
    framing("identity", b"Transfer-Encoding: identity\r\n" + length(SIZE), GOOD, SMUGGLED,
            expect=(400, 501)),
    framing("gzip, chunked", b"Transfer-Encoding: gzip, chunked\r\n", CHUNK, SMUGGLED,
            expect=(400, 501)),
    framing("xchunked", b"Transfer-Encoding: xchunked\r\n", CHUNK, SMUGGLED, expect=(400, 501)),
    framing("chunked behind a tab", b"Transfer-Encoding:\tchunked\r\n" + length(b"3"), CHUNK,
            SMUGGLED),
    framing("a space before the colon", b"Content-Length : " + SIZE + b"\r\n", GOOD),
    framing("a folded header", b"X-A: b\r\n c: d\r\n" + length(SIZE), GOOD),
    framing("a header without a colon", b"nothing\r\n" + length(SIZE), GOOD),
    framing("a header without a name", b": x\r\n" + length(SIZE), GOOD),
    framing("NUL in a header", b"X-A: a\x00b\r\n" + length(SIZE), GOOD),
    framing("bare CR in a header", b"X-A: a\rContent-Length: 5\r\n" + length(SIZE), GOOD),
    framing("bare LF between headers", b"X-A: a\nX-B: b\r\n" + length(SIZE), GOOD, expect=EITHER,
            closes=False),
    framing("a chunk size of letters", CHUNKED, b"zz\r\nx\r\n0\r\n\r\n"),
    framing("a negative chunk size", CHUNKED, b"-1\r\nx\r\n0\r\n\r\n"),
    framing("a chunk size 0x2", CHUNKED, b"0x2\r\nab\r\n0\r\n\r\n"),
    framing("a chunk size of 2^64", CHUNKED, b"10000000000000001\r\nx\r\n0\r\n\r\n",
            expect=(400, 413)),
    framing("a chunk size of 16 F", CHUNKED, b"FFFFFFFFFFFFFFFF\r\nx", expect=(400, 413)),
    framing("an empty chunk size", CHUNKED, b"\r\nx\r\n0\r\n\r\n"),
    framing("a chunk size with leading spaces", CHUNKED, b"  2f\r\n" + GOOD + b"\r\n0\r\n\r\n"),
    framing("no CRLF behind a chunk", CHUNKED, b"2\r\nabXX0\r\n\r\n"),
    framing("16 MB of zeros as a chunk size", CHUNKED, repeat(b"0", 16 * MIB), expect=(400, 413)),
    framing("an endless chunk extension", CHUNKED, b"1;", repeat(b"x", 64 * MIB),
            expect=(400, 413, 431)),
    framing("many chunk extensions", CHUNKED, repeat(b"1;%s\r\na\r\n" % (b"x" * 4000), 10000),
            expect=(400, 413, 431)),
    framing("8 million chunks of 1 byte", CHUNKED, repeat(b"1\r\n \r\n", 8 * MIB), b"0\r\n\r\n",
            expect=(400, 413), closes=False),
    framing("chunks of 64 MB", CHUNKED, repeat(b"10000\r\n" + b" " * 65536 + b"\r\n", 1024),
            expect=(400, 413)),
    framing("endless trailers", CHUNKED, CHUNK[:-2], repeat(b"X-T: y\r\n", 4 * MIB),
            expect=(400, 413, 431)),
    raw("framing", "trailers that name headers",
        join(START, CHUNKED, b"\r\n", CHUNK[:-2], b"Authorization: x\r\nContent-Length: 5\r\n\r\n"),
        expect=EITHER),
    raw("framing", "a good chunked body", join(START, CHUNKED, b"\r\n", CHUNK), expect=(200,)),
    raw("framing", "a chunk for each byte",
        join(START, CHUNKED, b"\r\n", b"".join(b"1\r\n%c\r\n" % c for c in GOOD), b"0\r\n\r\n"),
        expect=(200,)),
]


def limit(name, *parts, **more):
    return raw("http limits", name, join(*parts), **{"expect": REFUSED, "closes": True, **more})


CASES += [
    limit("an endless request line", b"GET /", repeat(b"a", 64 * MIB), expect=(414,)),
    limit("a request line of 9 KB", b"GET /", repeat(b"a", 9000), b" HTTP/1.1\r\n", HOST, b"\r\n",
          expect=(414,)),
    limit("an endless method", repeat(b"A", 64 * MIB), expect=(400, 405, 414, 501)),
    limit("an endless header", b"GET /health HTTP/1.1\r\n", HOST, b"X-A: ", repeat(b"a", 64 * MIB),
          expect=(431,)),
    limit("an endless header name", b"GET /health HTTP/1.1\r\n", HOST, repeat(b"a", 64 * MIB),
          expect=(400, 431)),
    limit("an endless list of headers", b"GET /health HTTP/1.1\r\n", HOST,
          repeat(b"X-A: a\r\n", 8 * MIB), expect=(431,)),
    limit("200 headers", b"GET /health HTTP/1.1\r\n", HOST, repeat(b"X-A: a\r\n", 200), b"\r\n",
          expect=(431,)),
    limit("a header of 100 KB", b"GET /health HTTP/1.1\r\n", HOST, b"X-A: ", repeat(b"a", 100000),
          b"\r\n\r\n", expect=(431,)),
    limit("a body of 17 MB", START, length(b"17825792"), b"\r\n", repeat(b" ", 17 * MIB),
          expect=(413,)),
    limit("a body of 2 GB, announced", START, length(b"2147483648"), b"\r\n", expect=(413,)),
    limit("a body of 2 GB, announced, Expect", START, length(b"2147483648"),
          b"Expect: 100-continue\r\n\r\n", expect=(413, 417)),
    limit("POST without a length", START, b"\r\n", expect=(411,), closes=False),
    limit("multipart/form-data", b"POST /v1/completions HTTP/1.1\r\n", HOST,
          b"Content-Type: multipart/form-data; boundary=x\r\n", length(b"12"), b"\r\n--x\r\n\r\n--x--",
          expect=(415,), closes=False),
    limit("multipart without a boundary", b"POST /v1/completions HTTP/1.1\r\n", HOST,
          b"Content-Type: multipart/form-data\r\n", length(b"4"), b"\r\nxxxx", expect=(400, 415),
          closes=False),
    limit("a boundary of 60 KB", b"POST /v1/completions HTTP/1.1\r\n", HOST,
          b"Content-Type: multipart/form-data; boundary=", repeat(b"x", 60000), b"\r\n",
          length(b"4"), b"\r\nxxxx", expect=(400, 415), closes=False),
    limit("Content-Encoding gzip", START, b"Content-Encoding: gzip\r\n", length(b"4"),
          b"\r\n\x1f\x8b\x08\x00", expect=(400, 415), closes=False),
    limit("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", expect=(400,)),
    limit("HTTP/9.9", b"GET /health HTTP/9.9\r\n", HOST, b"\r\n", expect=(400,)),
    limit("HTTP/0.9", b"GET /health\r\n", expect=REFUSED),
    limit("no version, 1 MB of spaces", b"GET ", repeat(b" ", MIB), expect=(400, 414)),
    limit("TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), b"\r\n\r\n",
          silent=True, answers=None),
    limit("only line ends", repeat(b"\r\n", 100000), silent=True, answers=None),
    limit("NUL bytes", repeat(b"\x00", MIB), b"\r\n\r\n", silent=True, answers=None,
          expect=(400, 414)),
    limit("0xff bytes", repeat(b"\xff", MIB), b"\r\n\r\n", silent=True, answers=None,
          expect=(400, 414)),
]


def route(name, head, *body, **more):
    return raw("routes", name, join(head, b"\r\n", *body), **{"expect": (400, 404, 405), **more})


def get(path, *headers):
    return b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"".join(headers)


RANGES = b"Range: bytes=" + b",".join(b"%d-%d" % (i, i) for i in range(2700)) + b"\r\n"
CASES += [
    route("2,700 ranges", get(b"/v1/models", RANGES), expect=(200,)),
    route("2,700 ranges of health", get(b"/health", RANGES), expect=(200,)),
    route("a range behind the end", get(b"/health", b"Range: bytes=999999-\r\n"), expect=(200,)),
    route("a range of 30 digits", get(b"/health", b"Range: bytes=0-" + b"9" * 30 + b"\r\n"),
          expect=(200,)),
    route("a range of nonsense", get(b"/health", b"Range: pages=x\r\n"), expect=(200,)),
    route("unknown path", get(b"/nothing"), expect=(404,)),
    route("path with dots", get(b"/../../etc/passwd")),
    route("path with encoded NUL", get(b"/health%00")),
    route("path with bad escapes", get(b"/%zz%")),
    route("a model with 8 KB of escapes", get(b"/v1/models/" + b"%2e" * 2000)),
    route("OPTIONS *", b"OPTIONS * HTTP/1.1\r\n" + HOST, expect=(200, 204, 400, 403, 404, 405)),
    route("TRACE", b"TRACE / HTTP/1.1\r\n" + HOST, expect=(400, 404, 405, 501)),
    route("CONNECT", b"CONNECT example.com:443 HTTP/1.1\r\n" + HOST, expect=(400, 404, 405, 501)),
    route("an unknown method", b"FROBNICATE / HTTP/1.1\r\n" + HOST, expect=(400, 404, 405, 501)),
    route("a lower-case method", b"get /health HTTP/1.1\r\n" + HOST, expect=(400, 404, 405, 501)),
    route("DELETE", b"DELETE /v1/models/smol HTTP/1.1\r\n" + HOST, expect=(400, 404, 405)),
    route("absolute form", b"GET http://127.0.0.1/health HTTP/1.1\r\n" + HOST,
          expect=(200, 400, 404)),
    route("absolute form of another host", b"GET http://evil.example/health HTTP/1.1\r\n" + HOST,
          expect=(200, 400, 403, 404)),
    route("no Host", b"GET /v1/models HTTP/1.1\r\n", expect=REFUSED),
    route("two Hosts", get(b"/v1/models", b"Host: other\r\n"), expect=(400, 403)),
    route("Host of another site", b"GET /v1/models HTTP/1.1\r\nHost: evil.example\r\n",
          expect=(403,)),
    route("Host with a port and a name", b"GET /v1/models HTTP/1.1\r\nHost: evil.example:8089\r\n",
          expect=(403,)),
    route("Host that looks like an address",
          b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n", expect=(403,)),
    route("Host localhost", b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n", expect=(200,)),
    route("Host under .local", b"GET /v1/models HTTP/1.1\r\nHost: box.local:80\r\n",
          expect=(200,)),
    route("Host IPv6", b"GET /v1/models HTTP/1.1\r\nHost: [::1]:8089\r\n", expect=(200,)),
    route("Host of 60 KB", b"GET /v1/models HTTP/1.1\r\nHost: " + b"a" * 60000 + b"\r\n",
          expect=(400, 403, 431)),
    route("foreign Origin, text/plain",
          b"POST /v1/completions HTTP/1.1\r\n" + HOST + b"Origin: http://evil.example\r\n"
          b"Content-Type: text/plain\r\n" + length(SIZE), GOOD, expect=(403,)),
    route("foreign Origin on GET", get(b"/v1/models", b"Origin: http://evil.example\r\n"),
          expect=(403,)),
    route("Origin null", get(b"/v1/models", b"Origin: null\r\n"), expect=(403,)),
    route("preflight of a foreign Origin",
          b"OPTIONS /v1/completions HTTP/1.1\r\n" + HOST + b"Origin: http://evil.example\r\n"
          b"Access-Control-Request-Method: POST\r\n", expect=(403, 404, 405)),
    route("a body on GET", get(b"/v1/models", length(b"38")), b"GET /nothing HTTP/1.1\r\nHost: a.b\r\n\r\n",
          expect=(200, 400)),
    route("a body on HEAD", b"HEAD /health HTTP/1.1\r\n" + HOST + length(b"5"), b"hello",
          expect=(200, 400, 405), answers=None,
          no_body=True),
    route("16 MB of body on GET", get(b"/v1/models", length(b"16777216")),
          repeat(b" ", 16 * MIB), expect=(200, 400, 413), answers=None),
    route("100 bad authorizations", get(b"/v1/models", b"Authorization: Bearer x\r\n" * 90),
          expect=(200, 400, 401)),
    route("Expect of something else", START + length(SIZE) + b"Expect: a-miracle\r\n", GOOD,
          expect=(200, 417)),
    route("Upgrade", get(b"/health", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"),
          expect=(200, 400)),
    route("Connection with 1,000 names", get(b"/health", b"Connection: " + b"a," * 1000 + b"b\r\n"),
          expect=(200, 400)),
]

PIPELINE = START + length(SIZE) + b"\r\n" + GOOD
CASES += [
    raw("connections", "expect 100-continue",
        join(START, length(SIZE), b"Expect: 100-continue\r\n\r\n"), 0.3, GOOD, expect=(200,)),
    raw("connections", "half-close behind a request",
        join(START, length(SIZE), b"\r\n", GOOD), "half-close", expect=(200,)),
    raw("connections", "half-close inside a body", join(START, length(SIZE), b"\r\n", GOOD[:9]),
        "half-close", expect=REFUSED, silent=True),
    raw("connections", "HTTP/1.0", join(b"POST /v1/completions HTTP/1.0\r\n", JSON, length(SIZE),
        b"\r\n", GOOD), expect=(200,)),
    raw("connections", "50 pipelined requests", repeat(b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n", 50),
        expect=(200,), answers=50),
    raw("connections", "200,000 pipelined requests",
        repeat(b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n", 200000), expect=(200, 400),
        answers=None, wall_s=8.0, silent=True),
    raw("connections", "64 pipelined completions", repeat(PIPELINE, 64), expect=(200,), answers=None, cpu_s=10.0),
    raw("connections", "bytes behind a request",
        join(START, length(SIZE), b"\r\n", GOOD, b"\x00\xff garbage\r\n\r\n"),
        expect=(200, 400), answers=None),
    raw("connections", "200 idle", 1.5, count=200, silent=True, answers=None),
    raw("connections", "200 with half a header", b"GET /health HT", 1.5, count=200, silent=True,
        answers=None, expect=(400, 408)),
    raw("connections", "64 unfinished bodies of 16 MB",
        join(START, length(b"16777216"), b"\r\n", repeat(b" ", 16 * MIB - 1)), 0.5, count=64,
        silent=True, answers=None, expect=(400, 408, 413), wall_s=15.0, cpu_s=10.0),
    raw("connections", "200 unfinished bodies of 4 MB",
        join(START, length(b"16777216"), b"\r\n", repeat(b"[", 4 * MIB)), 0.5, count=200,
        silent=True, answers=None, expect=(400, 408, 413), wall_s=15.0, cpu_s=10.0),
    raw("connections", "a slow request", b"POST /v1/compl", 0.3, b"etions HTTP/1.1\r\nHost: 127.0.0.1",
        0.3, b"\r\nContent-Length: " + SIZE + b"\r\n\r\n", 0.3, GOOD[:20], 0.3, GOOD[20:],
        expect=(200,)),
    raw("connections", "reset after a connect", "close", count=200, silent=True, answers=None),
    Case("200 requests for /v1/models at once", "connections", "/v1/models", "GET", count=200,
         expect=(200,), wall_s=10.0, silent=True),
]

# The client leaves before its answer: its work is cancelled.
LONG = {"model": "smol", "max_tokens": 5000, "ignore_eos": True}
TALK = {**LONG, "messages": [{"role": "user", "content": "Tell a story."}]}
UNREAD = (
    b'{"model":"smol","max_tokens":300,"ignore_eos":true,"stream":true,'
    b'"messages":[{"role":"user","content":"Tell a story."}]}'
)


def leave(name, body, state, path=CHAT, **more):
    return Case(name, "left", path, body=body, leave=state, **more)


CASES += [
    leave("in the upload", {**TALK, "user": repeat("u", MIB)}, "upload"),
    leave("while decoding", TALK, "sent"),
    leave("while decoding, with an extra byte", TALK, "sent", extra=b"x"),
    leave("while decoding, with a second request", TALK, "sent", extra=SMUGGLED),
    leave("while decoding 16 sequences", {**TALK, "n": 16}, "sent", beside=False),
    leave("in the stream", {**TALK, "stream": True}, "stream"),
    leave("in the stream, with an extra byte", {**TALK, "stream": True}, "stream", extra=b"x"),
    leave("while queued", {**TALK, "n": 16}, "sent", count=8, beside=False),
    leave("while tokenizing", {**LONG, "prompt": repeat("\u0301", 2 * MIB)}, "sent", TEXT,
          leave_s=0.05),
    leave("while prefilling", {**LONG, "prompt": repeat("a ", 3500)}, "sent", TEXT, leave_s=0.1),
    leave("while compiling multipleOf", {"model": "smol", "prompt": "x", "structured_outputs": {
        "json": {"type": "integer", "multipleOf": 62615533}}}, "sent", TEXT),
    leave("while compiling a choice", {"model": "smol", "prompt": "x", "structured_outputs": {
        "choice": [f"c{i}" for i in range(50000)]}}, "sent", TEXT),
    leave("in an ambiguous grammar", {**LONG, "prompt": "x", "stream": True, "structured_outputs": {
        "grammar": 'start: e\ne: e e | "a" | /[a-z ]/\n'}}, "sent", TEXT, leave_s=1.0),
    leave("while compiling, with an extra byte", {
        "model": "smol", "prompt": "x", "structured_outputs": {"regex": repeat("a?", 20000)}},
        "sent", TEXT, extra=b"\n"),
    leave("100 at once", TALK, "sent", count=100, beside=False),
    leave("while a template is rendered", {
        "model": "smol", "max_tokens": 1,
        "messages": [{"role": "user", "content": "x"}] * 5000}, "sent", leave_s=0.02),
    Case("half an answer is read", "left", body={**TALK, "stream": True, "logprobs": True,
         "top_logprobs": 20}, leave="stream"),
    raw("left", "a stream that nobody reads", join(
        b"POST /v1/chat/completions HTTP/1.1\r\n", HOST, JSON, length(b"%d" % len(UNREAD)), b"\r\n",
        UNREAD), 2.0, "close", silent=True, answers=None, cpu_s=6.0),
]
CASES.append(
    raw("http limits", "101 distinct headers", join(
        b"GET /health HTTP/1.1\r\n", HOST, b"".join(b"X-%d: a\r\n" % i for i in range(101)),
        b"\r\n"), expect=(431,), closes=True))
