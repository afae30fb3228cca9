"""Raw HTTP requests and answers, for tests of bytes that HTTP libraries do not send."""

import contextlib
import json
import socket
import time

from conftest import MODEL, Daemon

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
    """Reads one answer with a Content-Length and no byte after it. Returns status, headers and body."""
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
