#!/usr/bin/env python3
"""Runs hostile cases without pytest and prints each as it ends.

EDGEGATE_BIN=build/dev/edgegate tests/hostile/run.py [--match REGEX] [--list] [--report FILE]
"""

import argparse
import pathlib
import re
import sys
import tempfile

from all_cases import CASES, count_by_group
from arena import Arena, table


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--match", default="", help="only cases whose 'group: name' matches")
    parser.add_argument("--list", action="store_true", help="print the cases and what they send")
    parser.add_argument("--report", help="write a JSON report to this file")
    options = parser.parse_args()
    cases = [c for c in CASES if re.search(options.match, f"{c.group}: {c.name}")]
    if options.list:
        for case in cases:
            print(f"{case.group}: {case.name}: {case.raw or case.body!r:.200}")
        print(count_by_group())
        return 0
    with tempfile.TemporaryDirectory() as folder:
        arena = Arena(folder, pathlib.Path(folder) / "cache")
        for case in cases:
            result = arena.run(case)
            print("FAIL" if result.problems else "ok  ", f"{case.group}: {case.name}",
                  sorted(set(result.statuses)), f"{result.wall_s:.2f} s, {result.cpu_s:.2f} s CPU,"
                  f" {result.memory_mb:.0f} MB", result.message[:100])
            for problem in result.problems:
                print("     ", problem[:300], flush=True)
        arena.close()
        print("\n".join(table(arena.results, 10)[-12:]))
        if options.report:
            arena.write_report(options.report)
    return int(any(result.problems for result in arena.results))


if __name__ == "__main__":
    sys.exit(main())
