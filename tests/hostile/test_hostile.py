"""Every hostile case, alone and then beside an honest stream."""

import dataclasses
import time

import process_tree
import pytest
from all_cases import CASES
from beside import Beside, inter_token_latencies, p99
from daemon import FACTOR
from generate import build

IDS = [f"{case.group}: {case.name}".replace("[", "(").replace("]", ")") for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_alone(arena, case):
    result = arena.run(case)
    assert not result.problems, f"{case!r:.1000}"


def quiet_streams(arena, file, seconds):
    watch = Beside("stream", arena.daemon.port, file)
    time.sleep(seconds)
    return [stream for stream in watch.stop() if not stream.get("error")]


def attribute(results, late):
    """Cases during which the stream was late, the worst first."""
    found = {}
    for when, seconds in late:
        for result in results:
            if result.start <= when - seconds / 2 <= result.end + 0.1:
                name = f"{result.group}: {result.name}"
                found.setdefault(name, []).append(round(seconds * 1000))
    ordered = sorted(found.items(), key=lambda item: -sum(item[1]))
    return "\n".join(f"{name}: {len(ms)} late, longest {max(ms)} ms" for name, ms in ordered[:25])


def made_before(cases, folder):
    """(case, file of its request or None) of each, so that making requests does not disturb the stream."""
    made = []
    for number, case in enumerate(cases):
        file = None
        if case.raw:
            case = dataclasses.replace(case, raw=build(case.raw))
        else:
            file = folder / f"request-{number}"
            file.write_bytes(case.request())
        made.append((case, file))
    return made


def test_beside_a_stream(arena, tmp_path):
    """A normal stream keeps its bytes and its inter-token latency beside all cases in turn."""
    made = made_before([case for case in CASES if case.beside], tmp_path)
    if not arena.daemon.alive():
        arena.close_daemon()
        arena.start()
    before = quiet_streams(arena, tmp_path / "before.jsonl", 8)
    reference = before[0]["text"]
    starts, problems, results = arena.starts, [], []
    watch = Beside("stream", arena.daemon.port, tmp_path / "beside.jsonl")
    for case, file in made:
        if arena.starts != starts:
            break
        result = arena.run(case, alone=False, data=file and file.read_bytes())
        results.append(result)
        problems += [f"{case.group}: {case.name}: {problem}" for problem in result.problems]
    streams = watch.stop()
    assert arena.daemon.alive(), problems
    after = quiet_streams(arena, tmp_path / "after.jsonl", 5)
    quiet = p99([seconds for _, seconds in inter_token_latencies(before + after)])
    among = inter_token_latencies(streams)
    loud = p99([seconds for _, seconds in among])
    print(f"p99 inter-token latency: quiet {quiet * 1000:.1f} ms, beside {loud * 1000:.1f} ms")
    late = [latency for latency in among if latency[1] > 3 * quiet * FACTOR]
    print(attribute(results, late))
    wrong = [s for s in streams if s["text"] != reference or s.get("error")]
    assert not problems
    assert not wrong, f"{len(wrong)} of {len(streams)} streams have other bytes: {wrong[0]!r:.500}"
    assert loud <= 3 * quiet * FACTOR, attribute(results, late)


def test_afterwards(arena):
    """After all cases the daemon has released memory, threads and descriptors."""
    if arena.starts > 1:
        pytest.fail(f"the daemon was started {arena.starts} times")
    time.sleep(1)
    rise = process_tree.pss_anon_mb(arena.daemon.pid) - arena.memory_at_start
    _, threads, descriptors = process_tree.counts(arena.daemon.pid)
    assert rise < 300 * FACTOR
    assert threads <= arena.counts_at_start[1] + 16
    assert descriptors <= arena.counts_at_start[2] + 64
    assert arena.daemon.ask("/health")["status"] == "ok"
    assert arena.daemon.stop() == 0
