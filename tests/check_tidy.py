"""Runs clang-tidy on every C++ file of the tree and keeps the results.

    python3 tests/check_tidy.py build/dev [FOLDER or FILE...]

A file is checked again when its text, a header of ours that it includes, its compile command, .clang-tidy, clang-tidy
or an installed -dev package has changed. Results without findings are kept in build/tidy, one empty file for each
hash. Files with findings are checked each time.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build/tidy"
KEEP_DAYS = 30


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def includes(path, known):
    """Returns all headers of this project that the file includes, directly or through others."""
    if path not in known:
        known[path] = set()
        text = (ROOT / path).read_text(encoding="utf-8")
        for header in re.findall(r'^#include "([^"]+)"', text, re.MULTILINE):
            if (ROOT / header).exists():
                known[path] |= {header} | includes(header, known)
    return known[path]


def tools():
    """Versions on which every result depends."""
    packages = output_of("dpkg-query", "-W", "-f", "${Package} ${Version}\n", "*-dev", "*-dev-*")
    config = (ROOT / ".clang-tidy").read_text(encoding="utf-8")
    return output_of("clang-tidy", "--version") + packages + config


def digest_of(entry, path, base, known):
    digest = hashlib.sha256(base.encode())
    digest.update(entry["command"].encode())
    for name in [path, *sorted(includes(path, known))]:
        digest.update(name.encode())
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def check(work):
    path, build, result = work
    command = ["clang-tidy", "-p", str(build), "--quiet", str(ROOT / path)]
    begin = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        result.touch()
    return path, done.returncode, done.stdout, time.monotonic() - begin


def is_inside(path, wanted):
    return any(path == name or path.startswith(name + "/") for name in wanted)


def remove_old():
    for result in RESULTS.iterdir():
        if time.time() - result.stat().st_mtime > KEEP_DAYS * 86400:
            result.unlink()


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    wanted = [os.path.relpath(name, ROOT) for name in sys.argv[2:]]
    RESULTS.mkdir(parents=True, exist_ok=True)
    base, known, works, kept = tools(), {}, [], 0
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), ROOT)
        if path.startswith(("..", "build/")) or (wanted and not is_inside(path, wanted)):
            continue
        result = RESULTS / digest_of(entry, path, base, known)
        if result.exists():
            result.touch()
            kept += 1
        else:
            works.append((path, build, result))
    # A file may be compiled twice, into two programs.
    works = list({path: (path, *rest) for path, *rest in works}.values())
    results, failed = [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for work in concurrent.futures.as_completed([pool.submit(check, w) for w in works]):
            path, code, text, _ = work.result()
            results.append(work.result())
            if code != 0:
                failed.append(path)
                print(text, flush=True)
    remove_old()
    slowest = ", ".join(f"{p} {s:.0f} s" for p, _, _, s in sorted(results, key=lambda r: -r[3])[:3])
    print(f"clang-tidy: {len(results)} files checked, {kept} results kept, {len(failed)} with findings")
    if slowest:
        print(f"slowest: {slowest}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
