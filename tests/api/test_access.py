"""Access rules: host names, origins and API keys."""

import socket
import subprocess

import pytest
from conftest import BINARY, MODEL
from raw_http import (
    ask,
    post,
    start,
)


def hosts(daemon, host, origin=None, method=b"GET", more=b""):
    line = method + b" /health HTTP/1.1\r\nHost: " + host.encode() + b"\r\n"
    if origin:
        line += b"Origin: " + origin.encode() + b"\r\n"
    status, headers, body, _ = ask(daemon, line + more + b"\r\n")
    return status, headers, body


@pytest.mark.parametrize(
    "host,status",
    [
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
    ],
)
def test_unknown_host_names_are_refused(daemon, host, status):
    code, _, body = hosts(daemon, host)
    assert code == status, body
    if status == 403:
        assert b"server.allowed_hosts" in body


@pytest.mark.parametrize(
    "host,origin,status",
    [
        ("localhost:8089", "http://localhost:8089", 200),
        ("LocalHost:80", "http://localhost", 200),
        ("localhost:8089", "https://localhost:8089", 403),
        ("localhost:8089", "http://localhost:8090", 403),
        ("localhost", "http://127.0.0.1", 403),
        ("localhost", "null", 403),
        ("localhost", "http://evil.example.com", 403),
        ("evil.example.com", "http://evil.example.com", 403),
    ],
)
def test_pages_of_other_sites_are_refused(daemon, host, origin, status):
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


def test_allowed_origins_get_cors_headers(tmp_path, cache):
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
            b"Access-Control-Request-Headers: authorization,content-type,x-client\r\n"
        )
        status, headers, body = hosts(daemon, "localhost", origin, b"OPTIONS", preflight)
        assert status == 204 and body == b""
        assert headers["access-control-allow-origin"] == origin and headers["vary"] == "Origin"
        assert "POST" in headers["access-control-allow-methods"]
        assert "authorization" in headers["access-control-allow-headers"]
        assert "x-client" in headers["access-control-allow-headers"]
        status, headers, _, _ = ask(daemon, post(b"Origin: https://app.example.org\r\n"))
        assert status == 200 and headers["access-control-allow-origin"] == origin
    finally:
        assert daemon.stop() == 0


@pytest.mark.parametrize(
    "setting,value",
    [
        ("--server.allowed_origins", "app.example.org"),
        ("--server.allowed_origins", "https://app.example.org/path"),
        ("--server.allowed_hosts", "http://x"),
        ("--server.allowed_hosts", "*"),
    ],
)
def test_invalid_allowed_origins_are_refused_at_the_start(setting, value):
    command = [BINARY, "serve", "--port", "0", "--model", MODEL, setting, value]
    done = subprocess.run(command, capture_output=True, timeout=60, text=True)
    assert done.returncode == 2 and setting[2:] in done.stderr


def test_api_keys_as_a_flag_are_refused():
    command = [BINARY, "serve", "--port", "0", "--model", MODEL, "--server.api_keys", "secret"]
    done = subprocess.run(command, capture_output=True, timeout=60, text=True)
    assert done.returncode == 2
    assert "EDGEGATE_SERVER_API_KEYS" in done.stderr and "server.api_keys_file" in done.stderr
    assert "secret" not in done.stderr


def test_keys_are_read_from_api_keys_file(tmp_path, cache):
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


def test_named_keys_stand_in_the_log_by_their_names(tmp_path, cache):
    keys = tmp_path / "keys"
    keys.write_text("phone secret-1\nsecret-2\n")
    daemon = start(tmp_path, cache, "--server.api_keys_file", str(keys))
    try:
        for key in ("secret-1", "secret-2"):
            line = b"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n"
            assert ask(daemon, line % key.encode())[0] == 200
        for wrong in ("phone", "phone secret-1"):
            assert ask(daemon, line % wrong.encode())[0] == 401
    finally:
        assert daemon.stop() == 0
    with open(daemon.log.name) as log:
        text = log.read()
    assert "GET /v1/models 200 " in text and " ms, phone, req_" in text
    assert " ms, key-" in text and "secret" not in text
