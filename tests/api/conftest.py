"""Starts the real binary on a real model (SmolLM2, through scripts/fetch-smollm2)."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.request

import openai
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("EDGEGATE_BIN", str(ROOT / "build/release/edgegate"))
MODEL = os.environ.get("EDGEGATE_MODEL", str(ROOT / "models/SmolLM2-135M-Instruct.Q4_1.gguf"))


class Daemon:
    """One running daemon; `url` is its base address."""

    def __init__(self, *arguments, env=None, log=None):
        self.log = open(log, "w+")  # noqa: SIM115 (lives as long as the daemon)
        command = [BINARY, "serve", "--port", "0", *arguments]
        self.process = subprocess.Popen(
            command, stderr=self.log, env={**os.environ, **(env or {})}
        )
        self.url = "http://127.0.0.1:%s" % self.wait_for(r"listening on http://[^:]+:(\d+)")
        self.wait_for(r"\bready\b()")

    def wait_for(self, pattern):
        for _ in range(1200):
            text = pathlib.Path(self.log.name).read_text()
            if match := re.search(pattern, text):
                return match.group(1)
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"daemon did not print {pattern}:\n{text}")

    def health(self):
        with urllib.request.urlopen(self.url + "/health") as answer:
            return json.load(answer)

    def client(self, key="none"):
        return openai.OpenAI(base_url=self.url + "/v1", api_key=key, max_retries=0)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.log.close()
        return code


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def daemon(tmp_path_factory, cache):
    log = tmp_path_factory.mktemp("log") / "daemon.log"
    running = Daemon("--model", "smol=" + MODEL, "--engine.cache_dir", cache, log=str(log))
    yield running
    assert running.stop() == 0


@pytest.fixture
def client(daemon):
    return daemon.client()
