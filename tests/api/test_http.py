"""HTTP by raw sockets: framing, limits, methods, versions."""

import contextlib
import json
import time

import pytest
from raw_http import (
    BODY,
    COMPLETIONS,
    HEALTH,
    LENGTH,
    ask,
    connect,
    post,
    read_all,
    read_answer,
    start,
)

FRAMING = {
    "duplicate length": (COMPLETIONS + b"Content-Length: 5\r\n" + LENGTH + BODY, 400),
    "same length twice": (COMPLETIONS + LENGTH[:-2] + LENGTH + BODY, 400),
    "listed length": (COMPLETIONS + b"Content-Length: 5, 5\r\n\r\nhello", 400),
    "signed length": (COMPLETIONS + b"Content-Length: +5\r\n\r\nhello", 400),
    "negative length": (COMPLETIONS + b"Content-Length: -5\r\n\r\nhello", 400),
    "hexadecimal length": (COMPLETIONS + b"Content-Length: 0x5\r\n\r\nhello", 400),
    "empty length": (COMPLETIONS + b"Content-Length:\r\n\r\n", 400),
    "length and chunked": (
        COMPLETIONS + b"Transfer-Encoding: chunked\r\n" + LENGTH + b"0\r\n\r\n",
        400,
    ),
    "other coding": (COMPLETIONS + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "identity": (COMPLETIONS + b"Transfer-Encoding: identity\r\n\r\n", 400),
    "chunked twice": (
        COMPLETIONS + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunk size": (COMPLETIONS + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    "signed chunk size": (COMPLETIONS + b"Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n", 400),
    "prefixed chunk size": (
        COMPLETIONS + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n",
        400,
    ),
    "no end of chunk": (COMPLETIONS + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc0\r\n\r\n", 400),
    "huge chunk": (COMPLETIONS + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 413),
    "chunk extension": (
        COMPLETIONS + b"Transfer-Encoding: chunked\r\n\r\n5;" + b"x" * 100000,
        400,
    ),
    "trailers": (
        COMPLETIONS + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 10000,
        431,
    ),
    "no length": (COMPLETIONS + b"\r\n" + BODY, 411),
    "declared too large": (COMPLETIONS + b"Content-Length: 99999999\r\n\r\n", 413),
    "far too large": (COMPLETIONS + b"Content-Length: 9" + b"9" * 50 + b"\r\n\r\n", 413),
    "multipart": (post(b"Content-Type: multipart/form-data; boundary=x\r\n"), 415),
    "compressed": (post(b"Content-Encoding: gzip\r\n"), 415),
    "expectation": (post(b"Expect: more\r\n"), 417),
    "request line": (b"GET /" + b"a" * 100000, 414),
    "header line": (COMPLETIONS + b"X: " + b"a" * 200000, 431),
    "header list": (COMPLETIONS + b"X: y\r\n" * 20000, 431),
    "101 headers": (COMPLETIONS + b"X: y\r\n" * 100 + LENGTH + BODY, 431),
    "folded": (COMPLETIONS + b"X: y\r\n z\r\n" + LENGTH + BODY, 400),
    "blank before colon": (COMPLETIONS + b"X : y\r\n" + LENGTH + BODY, 400),
    "bare line feed": (b"GET /health HTTP/1.1\nHost: localhost\n\n", 400),
    "bare carriage return": (b"GET /health HTTP/1.1\r\nHost: local\rhost\r\n\r\n", 400),
    "NUL": (b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", 400),
    "NUL in target": (b"GET /v1/models/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "bad encoding": (b"GET /v1/models/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET /health HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
}


@pytest.mark.parametrize("name", FRAMING)
def test_framing_is_strict(daemon, name):
    data, status = FRAMING[name]
    began = time.monotonic()
    answer = ask(daemon, data)
    assert answer[0] == status, answer
    error = json.loads(answer[2])["error"]
    assert error["message"] and error["type"]
    assert answer[3], "the connection stays open"
    assert answer[1]["connection"] == "close"
    assert time.monotonic() - began < 3


def test_chunked_bodies_extensions_and_trailers(daemon):
    data = COMPLETIONS + b"Transfer-Encoding: Chunked\r\n\r\n"
    half = len(BODY) // 2
    data += b"%x ;a=b\r\n%s\r\n" % (half, BODY[:half])
    data += b"%X\r\n%s\r\n" % (len(BODY) - half, BODY[half:])
    data += b"0\r\nAuthorization: Bearer x\r\nContent-Length: 4\r\n\r\n"
    with connect(daemon) as connection:
        for i in range(0, len(data), 7):
            connection.sendall(data[i : i + 7])
        assert read_answer(connection)[0] == 200
        connection.sendall(HEALTH)
        assert read_answer(connection)[0] == 200


def test_a_chunked_body_past_the_limit(daemon):
    with connect(daemon) as connection:
        connection.sendall(COMPLETIONS + b"Transfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(17):
                connection.sendall(b"100000\r\n" + b"x" * (1 << 20) + b"\r\n")
        assert read_answer(connection)[0] == 413


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS"])
def test_a_body_that_nobody_reads_is_no_request(daemon, method):
    inner = b"GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n"
    with connect(daemon) as connection:
        connection.sendall(
            method
            + b" /health HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(inner)
            + inner
        )
        data = read_all(connection)
    assert data.count(b"HTTP/1.1 ") == 1


def test_the_body_of_a_refused_request_is_no_request(tmp_path, cache):
    daemon = start(tmp_path, cache, env={"EDGEGATE_SERVER_API_KEYS": "secret"})
    try:
        inner = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
        for header, length, status in [
            (b"", len(inner), b"401"),
            (b"Authorization: Bearer secret\r\n", 99999999, b"413"),
            (b"Host: evil.example.com\r\n", len(inner), b"400"),
            (b"Origin: http://evil.example.com\r\n", len(inner), b"403"),
        ]:
            with connect(daemon) as connection:
                connection.sendall(
                    COMPLETIONS + header + b"Content-Length: %d\r\n\r\n" % length + inner
                )
                data = read_all(connection)
            assert data.count(b"HTTP/1.1 ") == 1 and data.split()[1] == status, data
    finally:
        assert daemon.stop() == 0


def test_a_large_refused_body_does_not_hide_the_answer(daemon):
    data = COMPLETIONS + b"Content-Length: %d\r\n\r\n" % (40 << 20) + b"x" * (40 << 20)
    assert ask(daemon, data)[0] == 413


def test_header_values_are_not_decoded(tmp_path, cache):
    daemon = start(tmp_path, cache, env={"EDGEGATE_SERVER_API_KEYS": "a%41"})
    try:
        line = b"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: %s\r\n\r\n"
        assert ask(daemon, line % b"Bearer aA")[0] == 401
        assert ask(daemon, line % b"Bearer a%41")[0] == 200
        assert ask(daemon, line % b"bEaReR  a%41")[0] == 200
        assert ask(daemon, line % b"Basic a%41")[0] == 401
        assert ask(daemon, b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 401
    finally:
        assert daemon.stop() == 0


def test_expect_100_continue(daemon):
    with connect(daemon) as connection:
        connection.sendall(COMPLETIONS + b"Expect: 100-continue\r\n" + LENGTH)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert read_answer(connection)[0] == 200
    answer = ask(daemon, COMPLETIONS + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
    assert answer[0] == 413


def test_range_is_ignored(daemon):
    ranges = b",".join(b"%d-%d" % (i, i + 1) for i in range(2700))
    status, headers, body, _ = ask(daemon, HEALTH[:-2] + b"Range: bytes=" + ranges + b"\r\n\r\n")
    assert status == 200 and json.loads(body)["status"] == "ok" and "accept-ranges" not in headers


def test_wrong_methods_are_405s_with_allow(daemon):
    status, headers, _, closed = ask(daemon, b"DELETE /health HTTP/1.1\r\nHost: a\r\n\r\n")
    assert status == 405 and headers["allow"] == "GET, HEAD, OPTIONS" and not closed
    status, headers, _, _ = ask(daemon, b"GET /v1/completions HTTP/1.1\r\nHost: a\r\n\r\n")
    assert status == 405 and headers["allow"] == "POST, OPTIONS"
    status, headers, _, _ = ask(daemon, b"OPTIONS /v1/completions HTTP/1.1\r\nHost: a\r\n\r\n")
    assert status == 204 and headers["allow"] == "POST, OPTIONS"
    with connect(daemon) as connection:
        connection.sendall(b"HEAD /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and b"Content-Length: " in head and body == b""


def test_absolute_encoded_and_long_request_targets(daemon):
    absolute = b"GET http://localhost/health?a=%20 HTTP/1.1\r\nHost: other\r\n\r\n"
    assert ask(daemon, absolute)[0] == 200
    evil = b"GET http://evil.example.com/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert ask(daemon, evil)[0] == 403
    assert ask(daemon, b"GET /v1/models/%73mol HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 200
    long = b"GET /v1/models/" + b"a" * 8000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    assert ask(daemon, long)[0] == 404


def test_requests_in_a_row(daemon):
    with connect(daemon) as connection:
        connection.sendall(post() + HEALTH + post() + HEALTH)
        for _ in range(2):
            assert b"choices" in read_answer(connection)[2]
            assert b"running" in read_answer(connection)[2]


def test_http_1_0_requests_are_answered(daemon):
    streamed = json.dumps({**json.loads(BODY), "stream": True}).encode()
    with connect(daemon) as connection:
        connection.sendall(
            b"POST /v1/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(streamed)
            + streamed
        )
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head and b"Connection: close" in head
    assert body.startswith(b"data: {") and body.endswith(b"data: [DONE]\n\n")
    with connect(daemon) as connection:
        for _ in range(2):
            connection.sendall(b"GET /health HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
            status, headers, _ = read_answer(connection)
            assert status == 200 and headers["connection"] == "keep-alive"
