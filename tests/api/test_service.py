"""The daemon under a service manager: notifications, signals at every stage, slow clients."""

import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest
from conftest import BINARY, MODEL, ROOT, Daemon


def start(*arguments, log, **options):
    return subprocess.Popen([BINARY, *arguments], stderr=open(log, "w"), **options)  # noqa: SIM115


def wait_for(log, text):
    for _ in range(1200):
        if text in pathlib.Path(log).read_text():
            return
        time.sleep(0.01)
    raise AssertionError(pathlib.Path(log).read_text())


def test_notifies_systemd(tmp_path, cache):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.settimeout(30)
    daemon = Daemon(
        "--model",
        "smol=" + MODEL,
        "--engine.cache_dir",
        cache,
        env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "3000000"},
        log=str(tmp_path / "log"),
    )
    assert manager.recv(100) == b"READY=1"
    assert manager.recv(100) == b"WATCHDOG=1"
    assert manager.recv(100) == b"WATCHDOG=1"
    daemon.process.send_signal(signal.SIGTERM)
    news = manager.recv(100)
    while news == b"WATCHDOG=1":
        news = manager.recv(100)
    assert news == b"STOPPING=1"
    assert daemon.process.wait(timeout=30) == 0


def test_the_unit_file_is_valid(tmp_path):
    text = (ROOT / "packaging/edgegate.service").read_text()
    program = str(pathlib.Path(BINARY).resolve())
    assert "ExecStart=/usr/bin/edgegate " in text
    unit = tmp_path / "edgegate.service"
    unit.write_text(text.replace("/usr/bin/edgegate", program))
    check = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True
    )
    ours = [line for line in check.stderr.splitlines() if "edgegate" in line]
    assert check.returncode == 0 and not ours, check.stderr


def test_the_unit_is_confined():
    unit = ROOT / "packaging/edgegate.service"
    security = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
    )
    score = re.search(r"exposure level for edgegate.service: ([0-9.]+)", security.stdout)
    assert score and float(score[1]) <= 1.5, security.stdout + security.stderr
    settings = dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE))
    assert settings["LimitCORE"] == "0"
    # Above the daemon's default limit, three quarters of the machine's memory. So the daemon's
    # limit applies first.
    assert 75 < float(settings["MemoryMax"].removesuffix("%")) < 100
    assert int(settings["TasksMax"]) > 0


def test_sigterm_while_quantizing_ends_the_daemon(tmp_path):
    log = tmp_path / "log"
    cache = tmp_path / "cache"
    process = start(
        "serve", "--port", "0", "--model", MODEL, "--engine.cache_dir", str(cache), log=log
    )
    wait_for(log, "(quantizing)")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert "stopped while loading" in log.read_text()
    assert list(cache.iterdir()) == []


def begin_quantizing(tmp_path):
    """Starts a process that quantizes. Returns it and the path of the bundle."""
    bundle = tmp_path / "out" / "smol.egb"
    bundle.parent.mkdir()
    process = start("quantize", MODEL, str(bundle), log=tmp_path / "log")
    wait_for(tmp_path / "log", "(quantizing)")
    return process, bundle


def test_an_interrupted_quantize_leaves_no_file(tmp_path):
    process, bundle = begin_quantizing(tmp_path)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert list(bundle.parent.iterdir()) == []


def test_what_a_killed_quantize_leaves_is_cleared_by_the_next(tmp_path):
    killed, bundle = begin_quantizing(tmp_path)
    killed.kill()
    killed.wait()
    assert [path.suffix for path in bundle.parent.iterdir()] == [".part"]
    tiny = ROOT / "tests/golden/models/llama-tied"
    subprocess.run([BINARY, "quantize", str(tiny), str(bundle)], check=True, capture_output=True)
    assert list(bundle.parent.iterdir()) == [bundle]


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_request_that_drips_is_cut_off(tmp_path, cache, part):
    daemon = Daemon(
        "--model",
        "smol=" + MODEL,
        "--engine.cache_dir",
        cache,
        "--server.body_timeout_s",
        "2",
        "--server.read_timeout_s",
        "2",
        log=str(tmp_path / "log"),
    )
    host, port = daemon.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as client:
        head = b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
        client.sendall(head + (b"\r\n" if part == "body" else b"X-Slow: "))
        for _ in range(12):
            try:
                client.sendall(b"x")
            except OSError:
                break
            time.sleep(0.4)
        answer = client.recv(4096)
    assert b" 408 " in answer.split(b"\r\n")[0] and b"too long" in answer
    assert daemon.stop() == 0
