#!/usr/bin/env python3
"""A soak: 32 honest clients and 8 hostile ones on one daemon, over loopback.

EDGEGATE_BIN=build/dev/edgegate tests/hostile/soak.py --minutes 20 [--report FILE]

Honest answers are compared with those of a quiet daemon. Fails when one differs, when the daemon dies,
or when an answer is a 5xx other than 503.
"""

import argparse
import collections
import dataclasses
import json
import multiprocessing
import pathlib
import random
import sys
import tempfile
import time

import process_tree
import runner
from all_cases import CASES
from beside import p99
from daemon import Daemon, arguments
from memory_limit import MemoryLimit
from soak_client import ask, body_of, honest_client

HONEST, HOSTILE = 32, 8
COPIES = 8  # copies of a case at once, at most


def hostile_client(number, port, until, file):
    """Sends cases in a random order until `until`."""
    order = random.Random(number)
    with open(file, "a") as out:
        while time.monotonic() < until:
            case = order.choice(CASES)
            case = dataclasses.replace(case, count=min(case.count, COPIES))
            deadline = min(time.monotonic() + 10, until + 5)
            started = time.monotonic()
            answers, problems = runner.send_all(case, port, deadline, f"127.0.2.{number + 1}")
            line = {
                "case": f"{case.group}: {case.name}",
                "statuses": [answer.status for answer in answers],
                "seconds": time.monotonic() - started,
                "problems": problems,
            }
            out.write(json.dumps(line) + "\n")
            out.flush()


def sample(daemon):
    processes, threads, descriptors = process_tree.counts(daemon.pid)
    return {
        "rss_mb": round(process_tree.rss_mb(daemon.pid)),
        "anonymous_mb": round(process_tree.pss_anon_mb(daemon.pid)),
        "cpu_s": round(process_tree.cpu_seconds(daemon.pid)),
        "processes": processes,
        "threads": threads,
        "descriptors": descriptors,
    }


def start_clients(daemon, references, until, folder):
    jobs = []
    for number in range(HONEST):
        file = folder / f"honest-{number}.jsonl"
        jobs.append((honest_client, (number, daemon.port, until, file, references)))
    for number in range(HOSTILE):
        file = folder / f"hostile-{number}.jsonl"
        jobs.append((hostile_client, (number, daemon.port, until, file)))
    clients = [multiprocessing.Process(target=f, args=a, daemon=True) for f, a in jobs]
    for client in clients:
        client.start()
    return clients


def lines_of(folder, pattern):
    return [
        json.loads(line)
        for file in sorted(folder.glob(pattern))
        for line in file.read_text().splitlines()
    ]


def counted(lines):
    """Counts the answers by status; "none" counts the missing ones."""
    counts = collections.Counter()
    for line in lines:
        counts.update(str(status) for status in line["statuses"] or ["none"])
    return dict(sorted(counts.items()))


def summary(folder, samples, alive):
    honest, hostile = lines_of(folder, "honest-*"), lines_of(folder, "hostile-*")
    latencies = [s for line in honest for s in line.get("inter_token_s", [])]
    first = [line["first_s"] for line in honest if line.get("first_s")]
    wrong = [line for line in honest if line["wrong"]]
    errors = [
        line for line in honest + hostile if any(s >= 500 and s != 503 for s in line["statuses"])
    ]
    return {
        "alive": alive,
        "honest": {"answers": len(honest), "statuses": counted(honest), "wrong": len(wrong)},
        "wrong": wrong[:5],
        "hostile": {"cases": len(hostile), "statuses": counted(hostile)},
        "internal errors": errors[:20],
        "inter-token latency ms": {
            "median": round(sorted(latencies)[len(latencies) // 2] * 1000, 1) if latencies else None,
            "p99": round(p99(latencies) * 1000, 1),
            "longest": round(max(latencies, default=0) * 1000),
        },
        "first token ms": {
            "median": round(sorted(first)[len(first) // 2] * 1000) if first else None,
            "p99": round(p99(first) * 1000),
        },
        "before": samples[0],
        "after": samples[-1],
        "most anonymous_mb": max(s["anonymous_mb"] for s in samples),
        "samples": samples,
    }


def soak(daemon, minutes, folder):
    references = {key: ask(daemon.port, body_of(key), "127.0.0.1")[2] for key in range(HONEST)}
    again = {key: ask(daemon.port, body_of(key), "127.0.0.1")[2] for key in range(HONEST)}
    if references != again:
        raise AssertionError("a quiet daemon gives other bytes for the same request")
    samples = [{"t": 0, **sample(daemon)}]
    started = time.monotonic()
    until = started + minutes * 60
    clients = start_clients(daemon, references, until, folder)
    while time.monotonic() < until and daemon.alive():
        time.sleep(min(10, max(0.1, until - time.monotonic())))
        samples.append({"t": round(time.monotonic() - started), **sample(daemon)})
        print(json.dumps(samples[-1]), flush=True)
    for client in clients:
        client.join(timeout=40)
        if client.is_alive():
            client.terminate()
    time.sleep(5)
    samples.append({"t": round(time.monotonic() - started), **sample(daemon)})
    return samples


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--memory-mb", type=int, default=2560, help="limit of the daemon's cgroup")
    parser.add_argument("--report", help="write the summary as JSON to this file")
    options = parser.parse_args()
    limit = MemoryLimit(options.memory_mb)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        daemon = Daemon(*arguments(folder / "cache"), log=folder / "log", limit=limit)
        try:
            samples = soak(daemon, options.minutes, folder)
            result = summary(folder, samples, daemon.alive())
        finally:
            code = daemon.stop() if daemon.alive() else daemon.process.returncode
            limit.remove()
        result["exit code"] = code
        result["limit"] = limit.how
        if code != 0:
            print((folder / "log").read_text()[-2000:])
    print(json.dumps({k: v for k, v in result.items() if k != "samples"}, indent=1))
    if options.report:
        pathlib.Path(options.report).write_text(json.dumps(result, indent=1))
    good = result["alive"] and not result["wrong"] and not result["internal errors"] and code == 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
