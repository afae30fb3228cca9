"""Affinity and cgroup quotas limit the number of threads that compute; no answer depends on it."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from conftest import BINARY, DEMO, ROOT, Daemon

MODEL = ROOT / "tests/golden/models/qwen2"


def threads_of_bench(cache, enter, *arguments):
    command = [BINARY, "bench", "--model", str(MODEL), "--engine.cache_dir", str(cache), "--json"]
    command += ["--prompt", "16", "--gen", "4", "--batch", "1", *arguments]
    run = subprocess.run(command, check=True, capture_output=True, preexec_fn=enter)
    return json.loads(run.stdout)["threads"]


@pytest.fixture
def one_processor():
    """Affinity to one processor, for a preexec_fn."""
    first = min(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {first})


def quota_group(name):
    """A new cgroup with a quota of 1.5 processors, of version 2 or 1; None where none can be made."""
    root = pathlib.Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        group, file, value = root / name, "cpu.max", "150000 100000"
    else:
        group, file, value = root / "cpu" / name, "cpu.cfs_quota_us", "150000"
    try:
        group.mkdir()
    except OSError:
        return None
    try:
        (group / file).write_text(value)
        return group
    except OSError:
        group.rmdir()
        return None


def test_affinity(tmp_path, one_processor):
    # Fewer where this machine has a quota itself.
    assert 1 <= threads_of_bench(tmp_path, None) <= len(os.sched_getaffinity(0))
    assert threads_of_bench(tmp_path, one_processor) == 1


def test_the_setting_decides(tmp_path, one_processor):
    assert threads_of_bench(tmp_path, one_processor, "--threads", "3") == 3


def test_quota_of_a_cgroup(tmp_path):
    group = quota_group(f"edgegate-test-{os.getpid()}")
    if group is None:
        pytest.skip("no cgroup with a processor quota can be made here")
    try:
        enter = lambda: (group / "cgroup.procs").write_text(str(os.getpid()))  # noqa: E731
        assert threads_of_bench(tmp_path, enter) == 1
    finally:
        group.rmdir()


def test_neighbours_change_no_answer(tmp_path):
    daemon = Daemon("--model", f"demo={DEMO}", log=str(tmp_path / "log"))

    def ask():
        answer = daemon.client().chat.completions.create(
            model="demo",
            messages=[{"role": "user", "content": "Tell me about the garden."}],
            max_tokens=48,
            temperature=1.0,
            seed=7,
            logprobs=True,
            top_logprobs=5,
        )
        return answer.choices[0].to_json()

    alone = ask()
    spin = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(spin) for _ in range(2 * os.cpu_count())]
    try:
        for _ in range(5):
            assert ask() == alone
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert daemon.stop() == 0
