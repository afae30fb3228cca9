"""Connections: clients that leave, many connections, limits of threads and descriptors, shutdown."""

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
from conftest import BINARY, MODEL, ROOT
from raw_http import (
    COMPLETIONS,
    HEALTH,
    LONG,
    ask,
    connect,
    post,
    read_all,
    read_answer,
    running,
    start,
    wait_until,
)


@pytest.mark.parametrize("stream", [False, True])
def test_a_half_closed_client_gets_its_answer(daemon, stream):
    body = json.dumps({**LONG, "max_tokens": 20, "stream": stream}).encode()
    with connect(daemon, 60) as connection:
        connection.sendall(post(b"Connection: close\r\n", body))
        connection.shutdown(socket.SHUT_WR)
        data = read_all(connection)
    assert data.startswith(b"HTTP/1.1 200 OK")
    if stream:
        assert b"[DONE]" in data
    else:
        answer = data.rpartition(b"\r\n\r\n")[2]
        assert json.loads(answer)["usage"]["completion_tokens"] == 20


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


def test_a_second_daemon_on_a_port_fails(daemon):
    port = daemon.url.rpartition(":")[2]
    for host in ("127.0.0.1", "0.0.0.0"):
        command = [BINARY, "serve", "--host", host, "--port", port, "--model", MODEL]
        done = subprocess.run(command, capture_output=True, timeout=60, text=True)
        assert done.returncode == 1 and "ddress already in use" in done.stderr


def quick_health(daemon):
    began = time.monotonic()
    with connect(daemon) as connection:
        connection.sendall(HEALTH)
        status, _, body = read_answer(connection)
    assert status == 200 and b'"ok"' in body
    assert time.monotonic() - began < 1


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


# Many connections send one of these bytes each, and nothing afterwards.
CROWDS = {
    "idle": b"",
    "after a request": HEALTH,
    "request line": b"GET /hea",
    "headers": b"GET /health HTTP/1.1\r\nHost: a\r\nX: ",
    "body": COMPLETIONS + b"Content-Length: 16000000\r\n\r\n{",
    "chunk": COMPLETIONS + b"Transfer-Encoding: chunked\r\n\r\n5;x=",
}


@pytest.mark.parametrize("name", CROWDS)
def test_health_answers_among_many_connections(crowded, name):
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
            for _ in range(2):  # the cap of one address
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
    """Starts a daemon with a small model, as a user with a limit of `threads` threads."""
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
