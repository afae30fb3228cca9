"""Compiles what uses locks with clang's thread-safety analysis; the build itself uses GCC.

    python3 tests/check_locks.py build/dev

Checks every .cc file of the server, the scheduler and the engine that includes
engine/base/mutex.h, directly or through headers, with -Wthread-safety as an error.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("server/", "scheduler/", "engine/")
HEADER = "engine/base/mutex.h"
DROPPED = re.compile(r"-W.*|-MD|-c")
# Options that name outputs.
WITH_VALUE = ("-o", "-MF", "-MT")


def includes(path, known):
    """Returns all headers of this project that the file includes, directly or through others."""
    if path not in known:
        known[path] = set()
        text = (ROOT / path).read_text(encoding="utf-8")
        for header in re.findall(r'^#include "([^"]+)"', text, re.MULTILINE):
            if (ROOT / header).exists():
                known[path] |= {header} | includes(header, known)
    return known[path]


def command(entry):
    words = shlex.split(entry["command"])
    compiler = next(i for i, word in enumerate(words) if word.endswith("c++"))
    kept, skip = [], False
    for word in words[compiler + 1 :]:
        if skip or word in WITH_VALUE:
            skip = word in WITH_VALUE
        elif not DROPPED.fullmatch(word):
            kept.append(word)
    return ["clang++", "-fsyntax-only", "-Wthread-safety", "-Werror=thread-safety", *kept]


def check(entry):
    done = subprocess.run(command(entry), cwd=entry["directory"], capture_output=True, text=True)
    return done.returncode, done.stderr


def main():
    database = json.loads((pathlib.Path(sys.argv[1]) / "compile_commands.json").read_text())
    known, entries = {}, []
    for entry in database:
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), ROOT)
        if path.startswith(FOLDERS) and HEADER in includes(path, known):
            entries.append(entry)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(check, entries))
    for _, text in results:
        sys.stderr.write(text)
    failed = sum(code != 0 for code, _ in results)
    print(f"thread-safety analysis: {len(results)} files, {failed} with errors")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
