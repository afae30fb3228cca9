"""Affinity and cgroup quotas limit the number of threads. Answers do not depend on it."""

import functools
import json
import os
import subprocess
import sys

import pytest
from conftest import BINARY, DEMO, ROOT, Daemon

sys.path.append(str(ROOT / "tests"))
import cgroups

MODEL = ROOT / "tests/golden/models/qwen2"


def threads_of_bench(cache, enter, *arguments):
    command = [BINARY, "bench", "--model", str(MODEL), "--engine.cache_dir", str(cache), "--json"]
    command += ["--prompt", "16", "--gen", "4", "--batch", "1", *arguments]
    run = subprocess.run(command, check=True, capture_output=True, preexec_fn=enter)
    return json.loads(run.stdout)["threads"]


@pytest.fixture
def one_processor():
    """Sets the affinity to one processor. For a preexec_fn."""
    first = min(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {first})


def test_threads_follow_the_affinity(tmp_path, one_processor):
    # A cgroup quota of this machine may lower the number.
    assert 1 <= threads_of_bench(tmp_path, None) <= len(os.sched_getaffinity(0))
    assert threads_of_bench(tmp_path, one_processor) == 1


def test_engine_threads_overrides_the_affinity(tmp_path, one_processor):
    assert threads_of_bench(tmp_path, one_processor, "--threads", "3") == 3


def test_threads_follow_the_quota_of_a_cgroup(tmp_path):
    group = cgroups.make_quota(f"edgegate-test-{os.getpid()}", 1.5)
    if group is None:
        pytest.skip("no cgroup with a processor quota can be made here")
    try:
        assert threads_of_bench(tmp_path, functools.partial(cgroups.enter, group)) == 1
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
