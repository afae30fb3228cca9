"""Starts the real binary for the hostile cases."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("EDGEGATE_BIN", str(ROOT / "build/release/edgegate"))
SMOL = os.environ.get("EDGEGATE_MODEL", str(ROOT / "models/SmolLM2-135M-Instruct.Q4_1.gguf"))
DEMO = pathlib.Path(BINARY).resolve().parent / "edge-demo-v.edgegate"
GOLDEN = ROOT / "tests/golden/models"
# Sanitized builds are slower and larger.
FACTOR = float(os.environ.get("EDGEGATE_HOSTILE_FACTOR", "1"))
MEMORY_MB = int(os.environ.get("EDGEGATE_HOSTILE_MEMORY_MB", "2048"))


class NotStarted(AssertionError):
    """The daemon ended, or was not ready in time (`code` is None)."""

    def __init__(self, pattern, code, log):
        super().__init__(f"the daemon did not print {pattern}; exit code {code}:\n{log}")
        self.code, self.log = code, log


class Daemon:
    """One running daemon. `limit`: a MemoryLimit or TaskLimit, or None."""

    def __init__(self, *arguments, log, limit=None, env=None, preexec=None):
        self.log = pathlib.Path(log)
        enter = limit.enter if limit else preexec
        with open(log, "w") as file:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--port", "0", *arguments],
                stderr=file,
                stdout=file,
                env={**os.environ, **(env or {})},
                preexec_fn=enter,
            )
        self.port = int(self._wait_for(r"listening on http://[^:]+:(\d+)"))
        self._wait_for(r"\bready\b()")

    @property
    def pid(self):
        return self.process.pid

    def _wait_for(self, pattern):
        until = time.monotonic() + 120 * FACTOR
        while time.monotonic() < until:
            text = self.log.read_text()
            if match := re.search(pattern, text):
                return match.group(1)
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        code = self.process.poll()
        self.process.kill()
        self.process.wait()
        raise NotStarted(pattern, code, self.log.read_text())

    def alive(self):
        return self.process.poll() is None

    def ask(self, path, body=None, timeout=60):
        """An honest request. The decoded answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)

    def stop(self, timeout=60):
        """The exit status after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return -9


def arguments(cache):
    """Arguments of the daemon for most cases: a text model, one with images, a tiny one, an encoder."""
    more = os.environ.get("EDGEGATE_HOSTILE_ARGUMENTS", "").split()
    return [
        *more,
        f"--model=smol={SMOL}",
        f"--model=demo={DEMO}",
        f"--model=tiny={GOLDEN / 'qwen2'}",
        f"--model=bert={GOLDEN.parent / 'embeddings/bert'}",
        "--engine.cache_dir",
        str(cache),
        "--engine.kv_cache_mb",
        "128",
        "--engine.huge_pages",
        "false",  # otherwise weights move into anonymous memory while cases run
        "--engine.max_images",
        "4",
    ]
