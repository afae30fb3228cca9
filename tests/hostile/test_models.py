"""Hostile model files, and model files that change while they are served."""

import json
import os
import resource
import shutil
import subprocess
import time
import urllib.error

import process_tree
import pytest
from case import Case
from cases_model import TEMPLATES
from daemon import BINARY, DEMO, FACTOR, GOLDEN, SMOL, Daemon, NotStarted
from exchange import connect
from generate import build
from memory_limit import MemoryLimit, TaskLimit
from runner import INTERNAL, run

SIZES = ["--engine.kv_cache_mb", "16", "--engine.huge_pages", "false"]


@pytest.fixture(scope="module")
def limit():
    made = MemoryLimit(1024 if FACTOR == 1 else 4096)
    yield made
    made.remove()


def with_template(folder, template):
    """A copy of a tiny model under another chat template."""
    shutil.copytree(GOLDEN / "qwen2", folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["chat_template"] = build(template)
    text = json.dumps(config)  # ASCII: a lone surrogate is an escape
    (folder / "tokenizer_config.json").write_text(text)
    return folder


@pytest.mark.parametrize(("name", "template"), TEMPLATES, ids=[name for name, _ in TEMPLATES])
def test_template(tmp_path, cache, limit, name, template):
    folder = with_template(tmp_path / "model", template)
    arguments = [f"--model=odd={folder}", *SIZES, "--engine.cache_dir", str(cache)]
    started = time.monotonic()
    try:
        daemon = Daemon(*arguments, log=tmp_path / "log", limit=limit)
    except NotStarted as refused:
        error = refused.log.replace(str(folder), "")
        assert refused.code == 3, f"exit code {refused.code}: {error[-500:]}"
        assert "template" in error and not INTERNAL.search(error), error
        assert time.monotonic() - started < 20 * FACTOR
        return
    assert time.monotonic() - started < 20 * FACTOR
    body = {"model": "odd", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    names = ("template", "context", "messages", "prompt")
    result = run(daemon, Case(name, "template", body=body, names=names), None)
    assert not result.problems
    assert daemon.ask("/health")["status"] == "ok"
    assert daemon.stop() == 0


def status_of(daemon, model):
    """The status of a short request to a model."""
    body = {"model": model, "prompt": "Hello, this is a test", "max_tokens": 8}
    try:
        daemon.ask("/v1/completions", body, timeout=20)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def truncate(path):
    os.truncate(path, os.path.getsize(path) // 3)


def overwrite(path):
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 4)
        file.write(os.urandom(os.path.getsize(path) // 2))


def empty(path):
    os.truncate(path, 0)


@pytest.mark.parametrize("harm", [truncate, overwrite, empty])
@pytest.mark.parametrize("huge_pages", ["false", "true"])
def test_a_bundle_is_changed_while_it_is_served(tmp_path, cache, harm, huge_pages):
    bundle = tmp_path / "demo.edgegate"
    shutil.copy(DEMO, bundle)
    other = f"--model=tiny={GOLDEN / 'qwen2'}"
    daemon = Daemon(f"--model=demo={bundle}", other, "--engine.kv_cache_mb", "16",
                    "--engine.huge_pages", huge_pages, "--engine.cache_dir", str(cache),
                    log=tmp_path / "log")
    before = daemon.ask("/v1/completions", {"model": "tiny", "prompt": "x", "temperature": 0})
    harm(bundle)
    # The model's file is damaged: the first step may fail with 500.
    assert status_of(daemon, "demo") in (200, 500, 503)
    assert status_of(daemon, "demo") in (200, 503)
    assert daemon.alive(), daemon.process.returncode
    after = daemon.ask("/v1/completions", {"model": "tiny", "prompt": "x", "temperature": 0})
    assert after["choices"] == before["choices"]
    assert daemon.stop() == 0


def many_idle(daemon, count):
    """Opens connections that send nothing. Connections that fail are left out."""
    sockets = []
    for _ in range(count):
        try:
            sockets.append(connect(daemon.port, timeout=1.0))
        except OSError:
            continue
    return sockets


def check_under_idle(daemon):
    """200 idle connections, and /health beside them."""
    sockets = many_idle(daemon, 200)
    time.sleep(0.5)
    assert daemon.alive(), daemon.process.returncode
    started = time.monotonic()
    assert daemon.ask("/health", timeout=5)["status"] == "ok"
    assert time.monotonic() - started < 1 * FACTOR
    cpu = process_tree.cpu_seconds(daemon.pid)
    time.sleep(1)
    assert process_tree.cpu_seconds(daemon.pid) - cpu < 0.5 * FACTOR, "busy while idle"
    for one in sockets:
        one.close()
    time.sleep(0.5)
    assert status_of(daemon, "tiny") == 200
    assert daemon.stop() == 0


def tiny(cache):
    return [f"--model=tiny={GOLDEN / 'qwen2'}", *SIZES, "--engine.cache_dir", str(cache)]


def test_few_threads(tmp_path, cache):
    """If the limit of threads is reached, connections are refused and the daemon continues."""
    limit = TaskLimit(48)
    if not limit.available():
        pytest.skip("needs a pids cgroup that this user may make")
    try:
        check_under_idle(Daemon(*tiny(cache), log=tmp_path / "log", limit=limit))
    finally:
        limit.remove()


def test_few_descriptors(tmp_path, cache):
    def enter():
        resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))

    check_under_idle(Daemon(*tiny(cache), log=tmp_path / "log", preexec=enter))


def test_two_daemons_on_one_port(tmp_path, cache):
    daemon = Daemon(*tiny(cache), log=tmp_path / "log")
    command = [BINARY, "serve", "--port", str(daemon.port), *tiny(cache)]
    second = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        _, error = second.communicate(timeout=30 * FACTOR)
    except subprocess.TimeoutExpired:
        second.kill()
        pytest.fail("a second daemon serves on the same port")
    assert second.returncode in (1, 2) and "in use" in error, error
    assert daemon.stop() == 0


def test_sigterm_while_a_grammar_is_compiled(tmp_path, cache):
    daemon = Daemon(f"--model=smol={SMOL}", "--engine.cache_dir", str(cache), *SIZES[2:],
                    log=tmp_path / "log")
    body = {"model": "smol", "prompt": "x", "structured_outputs": {
        "json": {"type": "integer", "multipleOf": 62615533}}}
    case = Case("multipleOf", "stop", "/v1/completions", body=body, leave="sent")
    run(daemon, case, None, alone=False)
    started = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - started < 3 * FACTOR
