"""Compares our thread pool with others: a decoding step's loops, alone and beside busy processes.

    cmake --build --preset release --target pools      # with pthreadpool and oneTBB if installed
    python3 tests/bench/pools.py

A round measures each pool once, one after the other, so that other load affects all pools. "x" is the
median of the rounds' ratios to ours. The p99 is of all rounds' steps. Rounds with much other load are
replaced by quieter ones.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import time

import busy
import process
import report

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
# Name: (bytes of a column, blocks of 64 columns, seconds).
SIZES = {
    "16 KB": (64, 4, 0.3),  # hardly any work: the cost of a loop itself
    "1.1 MB, as SmolLM2-135M's": (576, 30, 1),
    "10.5 MB, as GLM-Edge-1.5B's": (2048, 80, 2),
}
FIGURES = {"steps/s": "steps_s", "processor ms/step": "cpu_ms", "switches/step": "switches"}
PASSIVE = " passive"  # OpenMP whose threads sleep at once


def busy_seconds(pid=None):
    """Processor time of a process, or of the machine including steal time."""
    if pid:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    user, nice, system, _, _, *rest = pathlib.Path("/proc/stat").read_text().split()[1:9]
    return sum(map(int, (user, nice, system, *rest))) / TICKS


def run(program, pool, k, blocks, seconds):
    name = pool.removesuffix(PASSIVE)
    environment = {"OMP_WAIT_POLICY": "passive"} if name != pool else {}
    return json.loads(process.run([program, name, k, blocks, seconds], environment)[0])


def measure(program, pool, size, neighbours):
    """Figures of a pool, and the share of the machine that other programs took."""

    def others():
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        return busy_seconds() - own - sum(busy_seconds(child.pid) for child in neighbours)

    before, start = others(), time.perf_counter()
    out = run(program, pool, *size)
    share = (others() - before) / (time.perf_counter() - start) / os.cpu_count()
    steps = out["step_s"]
    return {
        "steps_s": len(steps) / sum(steps),
        "cpu_ms": 1e3 * out["cpu_s"] / len(steps),
        "switches": out["switches"] / len(steps),
        "step_s": steps,
        "others": share,
    }


def measure_rounds(program, pools, size, busy_count, count, quiet):
    """The quietest `count` rounds of up to twice as many: the figures of each pool."""
    rounds = []

    def noise(figures):
        return max(of_pool["others"] for of_pool in figures.values())

    with busy.busy(busy_count) as neighbours:
        while len(rounds) < count or (len(rounds) < 2 * count and noise(rounds[count - 1]) > quiet):
            rounds.append({pool: measure(program, pool, size, neighbours) for pool in pools})
            rounds.sort(key=noise)
    print(f"other programs took {noise(rounds[0]):.0%} to {noise(rounds[count - 1]):.0%}")
    return rounds[:count]


def rows_of(pools, rounds):
    p99s = {
        pool: 1e3 * report.percentile([s for r in rounds for s in r[pool]["step_s"]], 0.99)
        for pool in pools
    }
    rows = [["", "steps", *FIGURES, "p99 ms"]]
    for pool in pools:
        cells = [str(sum(len(figures[pool]["step_s"]) for figures in rounds))]
        for key in FIGURES.values():
            median = statistics.median(figures[pool][key] for figures in rounds)
            ratio = statistics.median(
                figures[pool][key] / max(figures[pools[0]][key], 1e-9) for figures in rounds
            )
            cells.append(f"{report.number(median)} (x {report.number(ratio)})")
        p99 = p99s[pool]
        cells.append(f"{report.number(p99)} (x {report.number(p99 / p99s[pools[0]])})")
        rows.append([pool, *cells])
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--program", default=ROOT / "build/release/tests/bench/pools")
    parser.add_argument("--pools", help="with commas between, the first is the base [all]")
    parser.add_argument("--busy", default="0,2,4", help="numbers of busy processes [0,2,4]")
    parser.add_argument("--sizes", default="0,1,2", help=f"of: {', '.join(SIZES)} [0,1,2]")
    parser.add_argument("--rounds", type=int, default=5)
    share = "of the machine that other programs may take [0.05]"
    parser.add_argument("--quiet", type=float, default=0.05, help=share)
    parser.add_argument("--rest", type=int, default=5, help="seconds that a pool rests [5]")
    options = parser.parse_args()
    pools = process.run([options.program])[0].split()
    pools += [pool + PASSIVE for pool in pools if pool.startswith("omp")]
    pools = options.pools.split(",") if options.pools else pools
    for index in map(int, filter(None, options.sizes.split(","))):
        name, size = list(SIZES.items())[index]
        for count in map(int, options.busy.split(",")):
            print(f"\nloops of {name}, beside {count} busy processes: ", end="")
            rounds = measure_rounds(
                options.program, pools, size, count, options.rounds, options.quiet
            )
            report.print_rows(rows_of(pools, rounds))
            sys.stdout.flush()
    if options.rest:
        rows = [[f"{options.rest} s of rest after 20 steps", "switches", "processor ms"]]
        for pool in pools:
            out = run(options.program, pool, 0, 30, options.rest)
            rows.append([pool, str(out["switches"]), f"{1e3 * out['cpu_s']:.2f}"])
        print()
        report.print_rows(rows)


if __name__ == "__main__":
    main()
