"""The HTTP side by raw sockets: framing, limits, connections, who may ask, and clients that leave."""

import contextlib
import json
import os
import pwd
import resource
import shutil
import socket
import struct
import subprocess
import time

import pytest
from conftest import BINARY, MODEL, ROOT, Daemon

BODY = json.dumps({"model": "smol", "prompt": "hi", "max_tokens": 2}).encode()
LONG = {"model": "smol", "prompt": "hi", "max_tokens": 4000, "ignore_eos": True}
COMPLETIONS = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY)


def connect(daemon, timeout=30):
    host, port = daemon.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=timeout)


def read_all(connection):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            data += piece
    return data


def read_answer(connection):
    """One answer with a Content-Length: status, headers, body. Takes nothing behind it."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        assert piece, head
        head += piece
    lines = head.decode().rstrip().split("\r\n")
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
    body = b""
    while len(body) < int(headers.get("content-length", 0)):
        piece = connection.recv(int(headers["content-length"]) - len(body))
        assert piece, head
        body += piece
    return int(lines[0].split()[1]), headers, body


def ask(daemon, data):
    """Sends bytes. Gives the status, the headers and the body of the first answer, and whether the
    connection was closed behind it."""
    with connect(daemon) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        answer = read_answer(connection)
        connection.settimeout(0.3)
        try:
            closed = connection.recv(1) == b""
        except TimeoutError:
            closed = False
        return (*answer, closed)


def post(headers=b"", body=BODY):
    return COMPLETIONS + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


def start(tmp_path, cache, *arguments, env=None, **options):
    model = ["--model", "smol=" + MODEL, "--engine.cache_dir", cache]
    return Daemon(*model, *arguments, env=env, log=str(tmp_path / "log"), **options)


def running(daemon):
    model = daemon.health()["models"][0]
    return model["running"] + model["waiting"]


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


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
    "prefixed chunk size": (COMPLETIONS + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n", 400),
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
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
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
    status, headers, body, _ = ask(
        daemon, HEALTH[:-2] + b"Range: bytes=" + ranges + b"\r\n\r\n"
    )
    assert status == 200 and json.loads(body)["status"] == "ok" and "accept-ranges" not in headers


def test_methods(daemon):
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


def test_targets(daemon):
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


def test_http_1_0(daemon):
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


@pytest.mark.parametrize("stream", [False, True])
def test_a_half_closed_client_gets_its_answer(daemon, stream):
    body = json.dumps({**LONG, "max_tokens": 100, "stream": stream}).encode()
    with connect(daemon, 60) as connection:
        connection.sendall(post(b"Connection: close\r\n", body))
        connection.shutdown(socket.SHUT_WR)
        data = read_all(connection)
    assert b"HTTP/1.1 200 OK" in data
    if stream:
        assert b"[DONE]" in data
    else:
        answer = data.rpartition(b"\r\n\r\n")[2]
        assert json.loads(answer)["usage"]["completion_tokens"] == 100


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("extra", [0, 1, 1 << 20])
@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_leaves_is_noticed(daemon, stream, extra, reset):
    connection = connect(daemon)
    connection.sendall(post(b"", json.dumps({**LONG, "stream": stream}).encode()) + b"x" * extra)
    assert wait_until(lambda: running(daemon) == 1, 5)
    if stream:
        assert connection.recv(1 << 16)
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    assert wait_until(lambda: running(daemon) == 0, 5)


def test_an_http_1_0_client_that_leaves_is_noticed(daemon):
    connection = connect(daemon)
    body = json.dumps(LONG).encode()
    connection.sendall(
        b"POST /v1/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    assert wait_until(lambda: running(daemon) == 1, 5)
    connection.close()
    assert wait_until(lambda: running(daemon) == 0, 5)


def hosts(daemon, host, origin=None, method=b"GET", more=b""):
    line = method + b" /health HTTP/1.1\r\nHost: " + host.encode() + b"\r\n"
    if origin:
        line += b"Origin: " + origin.encode() + b"\r\n"
    status, headers, body, _ = ask(daemon, line + more + b"\r\n")
    return status, headers, body


@pytest.mark.parametrize("host,status", [
    ("127.0.0.1", 200),
    ("127.0.0.1:8089", 200),
    ("[::1]:8089", 200),
    ("LOCALHOST", 200),
    ("edgegate:80", 200),
    ("gateway.local", 200),
    ("gateway.lan.", 200),
    ("a.b.home.arpa", 200),
    ("x.internal", 200),
    (socket.gethostname(), 200),
    ("evil.example.com", 403),
    ("127.0.0.1.example.com", 403),
    ("local.example.com:8089", 403),
    ("evillocal.com", 403),
    ("user@localhost", 400),
    ("localhost:99999", 400),
    ("a b", 400),
])
def test_host_names(daemon, host, status):
    code, _, body = hosts(daemon, host)
    assert code == status, body
    if status == 403:
        assert b"server.allowed_hosts" in body


@pytest.mark.parametrize("host,origin,status", [
    ("localhost:8089", "http://localhost:8089", 200),
    ("LocalHost:80", "http://localhost", 200),
    ("localhost:8089", "https://localhost:8089", 403),
    ("localhost:8089", "http://localhost:8090", 403),
    ("localhost", "http://127.0.0.1", 403),
    ("localhost", "null", 403),
    ("localhost", "http://evil.example.com", 403),
    ("evil.example.com", "http://evil.example.com", 403),
])
def test_pages_of_other_sites(daemon, host, origin, status):
    code, headers, body = hosts(daemon, host, origin)
    assert code == status and "access-control-allow-origin" not in headers
    if status == 403 and host.startswith("localhost"):
        assert b"server.allowed_origins" in body
    preflight = b"Access-Control-Request-Method: POST\r\n"
    _, headers, _ = hosts(daemon, host, origin, b"OPTIONS", preflight)
    assert not any(name.startswith("access-control") for name in headers)


def test_a_form_post_of_another_site_is_refused_and_curl_is_not(daemon):
    plain = b"Content-Type: text/plain\r\n"
    assert ask(daemon, post(plain + b"Origin: http://evil.example.com\r\n"))[0] == 403
    assert ask(daemon, post(plain))[0] == 200
    assert ask(daemon, post(b"Content-Type: application/x-www-form-urlencoded\r\n"))[0] == 200


def test_listed_sites(tmp_path, cache):
    env = {
        "EDGEGATE_SERVER_ALLOWED_ORIGINS": "https://app.example.org,http://a.example:80",
        "EDGEGATE_SERVER_ALLOWED_HOSTS": "ai.example.org,*.example.net",
    }
    daemon = start(tmp_path, cache, env=env)
    try:
        origin = "https://app.example.org"
        status, headers, _ = hosts(daemon, "ai.example.org", origin)
        assert status == 200 and headers["access-control-allow-origin"] == origin
        assert headers["vary"] == "Origin"
        assert hosts(daemon, "x.example.net", "http://a.example")[0] == 200
        assert hosts(daemon, "example.net")[0] == 403
        assert hosts(daemon, "localhost", "https://app.example.org.evil.com")[0] == 403
        preflight = (
            b"Access-Control-Request-Method: POST\r\n"
            b"Access-Control-Request-Headers: authorization,content-type\r\n"
        )
        status, headers, body = hosts(daemon, "localhost", origin, b"OPTIONS", preflight)
        assert status == 204 and body == b""
        assert headers["access-control-allow-origin"] == origin and headers["vary"] == "Origin"
        assert "POST" in headers["access-control-allow-methods"]
        assert "Authorization" in headers["access-control-allow-headers"]
        status, headers, _, _ = ask(daemon, post(b"Origin: https://app.example.org\r\n"))
        assert status == 200 and headers["access-control-allow-origin"] == origin
    finally:
        assert daemon.stop() == 0


@pytest.mark.parametrize("setting,value", [
    ("--server.allowed_origins", "app.example.org"),
    ("--server.allowed_origins", "https://app.example.org/path"),
    ("--server.allowed_hosts", "http://x"),
    ("--server.allowed_hosts", "*"),
])
def test_wrong_sites_are_refused_at_the_start(setting, value):
    command = [BINARY, "serve", "--port", "0", "--model", MODEL, setting, value]
    done = subprocess.run(command, capture_output=True, timeout=60, text=True)
    assert done.returncode == 2 and setting[2:] in done.stderr


def test_keys_by_option_are_refused():
    command = [BINARY, "serve", "--port", "0", "--model", MODEL, "--server.api_keys", "secret"]
    done = subprocess.run(command, capture_output=True, timeout=60, text=True)
    assert done.returncode == 2
    assert "EDGEGATE_SERVER_API_KEYS" in done.stderr and "server.api_keys_file" in done.stderr
    assert "secret" not in done.stderr


def test_key_files(tmp_path, cache):
    keys = tmp_path / "keys"
    keys.write_bytes(b"# for the gateway\r\none\r\n\r\n  two  \r\n#three\r\n")
    daemon = start(tmp_path, cache, "--server.api_keys_file", str(keys))
    try:
        for key, status in {"one": 200, "two": 200, "#three": 401, "": 401, "one\t": 200}.items():
            line = b"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n"
            assert ask(daemon, line % key.encode())[0] == status, key
    finally:
        assert daemon.stop() == 0
    keys.write_bytes(b"# none\n")
    model = ["--model", MODEL]
    command = [BINARY, "serve", "--port", "0", *model, "--server.api_keys_file", str(keys)]
    done = subprocess.run(command, capture_output=True, timeout=60, text=True)
    assert done.returncode == 2 and "server.api_keys_file" in done.stderr


def test_one_port_one_daemon(daemon):
    port = daemon.url.rpartition(":")[2]
    for host in ("127.0.0.1", "0.0.0.0"):
        command = [BINARY, "serve", "--host", host, "--port", port, "--model", MODEL]
        done = subprocess.run(command, capture_output=True, timeout=60, text=True)
        assert done.returncode == 1 and "ddress already in use" in done.stderr


def quick_health(daemon):
    began = time.monotonic()
    status, _, body, _ = ask(daemon, HEALTH)
    assert status == 200 and b'"ok"' in body
    assert time.monotonic() - began < 1.3  # ask() waits for 0.3 s behind the answer


@pytest.fixture(scope="module")
def crowded(tmp_path_factory, cache):
    running = start(
        tmp_path_factory.mktemp("crowded"),
        cache,
        "--server.max_connections",
        "64",
        "--server.max_connections_per_address",
        "48",
    )
    yield running
    assert running.stop() == 0


# What each of many connections sends, and then nothing more.
CROWDS = {
    "idle": b"",
    "after a request": HEALTH,
    "request line": b"GET /hea",
    "headers": b"GET /health HTTP/1.1\r\nHost: a\r\nX: ",
    "body": COMPLETIONS + b"Content-Length: 16000000\r\n\r\n{",
    "chunk": COMPLETIONS + b"Transfer-Encoding: chunked\r\n\r\n5;x=",
}


@pytest.mark.parametrize("name", CROWDS)
def test_health_among_a_crowd(crowded, name):
    with contextlib.ExitStack() as stack:
        for _ in range(150):
            connection = stack.enter_context(connect(crowded))
            with contextlib.suppress(OSError):
                connection.sendall(CROWDS[name])
        for _ in range(3):
            quick_health(crowded)
        time.sleep(1.1)
        for _ in range(5):
            quick_health(crowded)
        if name in ("idle", "after a request"):
            assert ask(crowded, post())[0] == 200
    threads = f"/proc/{crowded.process.pid}/task"
    assert wait_until(lambda: len(os.listdir(threads)) < 50, 5)


def test_health_while_all_slots_work(tmp_path, cache):
    daemon = start(tmp_path, cache, "--server.max_connections", "4")
    try:
        body = json.dumps({**LONG, "stream": True}).encode()
        with contextlib.ExitStack() as stack:
            for _ in range(2):  # all that one address may have
                connection = stack.enter_context(connect(daemon))
                connection.sendall(post(b"", body))
                assert b"200" in connection.recv(1000)
            for _ in range(5):
                quick_health(daemon)
            status, headers, answer, closed = ask(daemon, post())
            assert status == 503 and headers["retry-after"] and closed
            assert b"server.max_connections" in answer
        assert wait_until(lambda: ask(daemon, post())[0] == 200, 5)
    finally:
        assert daemon.stop() == 0


def test_the_longest_idle_connection_gives_way(crowded):
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(crowded)) for _ in range(48)]
        for connection in connections:
            connection.sendall(HEALTH)
            assert read_answer(connection)[0] == 200
        quick_health(crowded)
        connections[0].settimeout(2)
        assert connections[0].recv(1) == b""
        connections[-1].sendall(HEALTH)
        assert read_answer(connections[-1])[0] == 200


def start_as_nobody(tmp_path, threads):
    """A daemon with a small model whose user may have that many threads."""
    user = pwd.getpwnam("nobody")
    home = tmp_path / "nobody"
    home.mkdir()
    shutil.copytree(ROOT / "tests/golden/models/llama-tied", home / "tiny")
    shutil.copy(BINARY, home / "edgegate")
    for path in [home, *home.rglob("*")]:
        os.chown(path, user.pw_uid, user.pw_gid)
    for path in home.parents:
        if not os.stat(path).st_mode & 1:
            os.chmod(path, os.stat(path).st_mode | 1)

    def become_nobody():
        resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)

    command = [str(home / "edgegate"), "serve", "--port", "0", "--model", str(home / "tiny")]
    command += ["--engine.cache_dir", str(home / "cache"), "--engine.threads", "1"]
    log = tmp_path / "log"
    with open(log, "w") as stderr:
        process = subprocess.Popen(command, stderr=stderr, preexec_fn=become_nobody, cwd=home)
    assert wait_until(lambda: "ready\n" in log.read_text() or process.poll(), 60)
    assert process.poll() is None, log.read_text()
    return process, int(log.read_text().split("listening on http://127.0.0.1:")[1].split()[0])


def test_a_thread_limit_refuses_connections_and_nothing_else(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs another user for its own limit of threads")
    process, port = start_as_nobody(tmp_path, 40)
    try:
        refused = 0
        with contextlib.ExitStack() as stack:
            crowd = []
            for _ in range(100):
                one = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
                with contextlib.suppress(OSError):
                    one.sendall(b"GET /hea")
                crowd.append(one)
            time.sleep(0.5)
            for one in crowd:
                one.setblocking(False)
                with contextlib.suppress(OSError):
                    refused += b" 503 " in one.recv(4096)
            assert process.poll() is None
            assert refused > 0
        answered = []
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port), 5) as one:
                one.sendall(HEALTH)
                answered.append(read_answer(one)[0])
            time.sleep(0.2)
        assert answered[-1] == 200 and set(answered) <= {200, 503}
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_a_descriptor_limit_does_not_stop_the_daemon(tmp_path, cache):
    daemon = start(tmp_path, cache)
    try:
        pid = daemon.process.pid
        open_now = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_now + 20, open_now + 20))
        with contextlib.ExitStack() as stack:
            for _ in range(60):
                stack.enter_context(connect(daemon))
            quick_health(daemon)
    finally:
        assert daemon.stop() == 0


def test_a_stop_does_not_wait_for_idle_connections(tmp_path, cache):
    daemon = start(tmp_path, cache)
    with connect(daemon) as idle, connect(daemon) as reading:
        idle.sendall(HEALTH)
        assert read_answer(idle)[0] == 200
        reading.sendall(b"GET /hea")
        began = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - began < 4
