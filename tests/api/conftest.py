"""Fixtures that start the real binary on a real model (SmolLM2, from scripts/fetch-smollm2)."""

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
# The times that a test waits for the daemon are multiplied by this number. An emulator needs more time.
TIME_FACTOR = float(os.environ.get("EDGEGATE_TIME_FACTOR", "1"))
# The demo model, which the build puts beside the program.
DEMO = pathlib.Path(BINARY).resolve().parent / "edge-demo-v.edgegate"


class Daemon:
    """One running daemon; `url` is its base address. `ready`: waits until its models are loaded."""

    def __init__(self, *arguments, env=None, log=None, ready=True):
        self.log = open(log, "w+")  # noqa: SIM115 (lives as long as the daemon)
        command = [BINARY, "serve", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, stderr=self.log, env={**os.environ, **(env or {})})
        self.url = "http://127.0.0.1:%s" % self.wait_for(r"listening on http://[^:]+:(\d+)")
        if ready:
            self.wait_for(r"\bready\b()")

    def wait_for(self, pattern):
        for _ in range(int(6000 * TIME_FACTOR)):  # 5 minutes: a busy machine quantizes slowly
            text = pathlib.Path(self.log.name).read_text()
            if match := re.search(pattern, text):
                return match.group(1)
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"daemon did not print {pattern}:\n{text}")

    def logged(self, text):
        """The lines of the log that contain `text`. Waits for one: a request is logged after its answer was sent."""
        self.wait_for(f"({re.escape(text)}).*\n")
        return [line for line in pathlib.Path(self.log.name).read_text().splitlines() if text in line]

    def health(self):
        with urllib.request.urlopen(self.url + "/health") as answer:
            return json.load(answer)

    def idle_health(self):
        """Waits until nothing runs or waits, and returns the health. The engine publishes it after the last event."""
        for _ in range(int(200 * TIME_FACTOR)):
            health = self.health()
            if not any(model["running"] + model["waiting"] for model in health["models"]):
                break
            time.sleep(0.05)
        return health

    def client(self, key="none"):
        return openai.OpenAI(base_url=self.url + "/v1", api_key=key, max_retries=0)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60 * TIME_FACTOR)
        self.log.close()
        return code


def differences(ours, top):
    """Differences of log-probabilities by "token_id:N" from a golden. A token that is missing in the
    tokenizer or in the top 20 is not compared."""
    return [abs(ours[f"token_id:{i}"] - value) for i, value in top if f"token_id:{i}" in ours]


def check_differences(found, prompts):
    assert len(found) > 0.8 * 20 * prompts
    # With other seeds these reach 0.05 and 0.009, mostly from the bf16 KV cache. With INT8 alone
    # they reach 0.47 and 0.11.
    assert max(found) <= 0.1
    assert sum(found) / len(found) <= 0.02


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
