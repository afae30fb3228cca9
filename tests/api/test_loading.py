"""Models load side by side, and each answers once it is loaded."""

import json
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

import openai
import pytest
from conftest import BINARY, DEMO, MODEL, Daemon


def health(daemon):
    try:
        return daemon.health()
    except urllib.error.HTTPError as error:
        assert error.code == 503
        return json.load(error)


def statuses(daemon):
    told = health(daemon)
    return told["status"], {model["name"]: model["status"] for model in told["models"]}


def test_a_model_answers_while_another_is_quantized(tmp_path):
    models = ["--model", "late=" + MODEL, "--model", f"demo={DEMO}"]
    cache = str(tmp_path / "cache")
    daemon = Daemon(*models, "--engine.cache_dir", cache, log=str(tmp_path / "log"), ready=False)
    daemon.wait_for(r"(loaded demo)")
    client = daemon.client()
    asked = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8}
    beside = client.chat.completions.create(model="demo", **asked)
    with pytest.raises(openai.InternalServerError) as refused:
        client.chat.completions.create(model="late", **asked)
    # Quantizing takes much longer than the answer.
    assert statuses(daemon) == ("loading", {"late": "loading", "demo": "ok"})
    assert refused.value.status_code == 503
    assert refused.value.response.headers["retry-after"] == "1"
    assert "'late' is still loading" in str(refused.value)
    assert [model.id for model in client.models.list()] == ["demo"]
    daemon.wait_for(r"\bready\b()")
    assert statuses(daemon) == ("ok", {"late": "ok", "demo": "ok"})
    assert [model.id for model in client.models.list()] == ["late", "demo"]
    assert client.chat.completions.create(model="late", **asked).choices[0].message.content
    after = client.chat.completions.create(model="demo", **asked)
    assert after.choices[0].message.content == beside.choices[0].message.content
    assert daemon.stop() == 0


def test_two_models_of_one_name_are_refused_before_they_load(tmp_path):
    command = [BINARY, "serve", "--port", "0", "--model", MODEL, "--model", MODEL]
    done = subprocess.run(
        [*command, "--engine.cache_dir", str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "two models are called SmolLM2-135M-Instruct" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_fails_ends_the_daemon(tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF but no model")
    command = [BINARY, "serve", "--port", "0", "--model", f"demo={DEMO}", "--model", str(broken)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "cannot load" in done.stderr and "broken.gguf" in done.stderr


def switches(daemon):
    """Returns the counts of voluntary and involuntary context switches of each thread."""
    counts = {}
    for task in pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir():
        try:
            lines = (task / "status").read_text().splitlines()
        except FileNotFoundError:  # the thread has just ended
            continue
        counts[task.name] = [line for line in lines if "ctxt_switches" in line]
    return counts


def test_an_idle_daemon_never_wakes(tmp_path):
    daemon = Daemon("--model", f"demo={DEMO}", log=str(tmp_path / "log"))
    client = daemon.client()
    client.completions.create(model="demo", prompt="Hello", max_tokens=8)
    # Waits until connections are closed and the weights are on huge pages.
    client.close()
    before = switches(daemon)
    for _ in range(20):
        time.sleep(3)
        after = switches(daemon)
        if after == before:
            break
        before = after
    assert after == before
    assert daemon.stop() == 0
