"""Checks that includes follow the layers of docs/design.md, and that files stay short."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Folder -> folders it may include from (itself is always allowed). Longest prefix wins.
ALLOWED = {
    "engine/base": [],
    "engine/ops/isa": ["engine/base"],
    "engine/ops/rows": ["engine/base", "engine/ops/isa"],
    "engine/ops/linear": ["engine/base", "engine/ops/isa", "engine/ops/rows"],
    "engine/ops/attention": ["engine/base", "engine/ops/isa"],
    "engine/bench": ["engine/base", "engine/ops"],
    "engine/image": ["engine/base"],
    "engine/sampling": ["engine/base"],
    "engine/text": ["engine/base", "engine/sampling/token_constraint.h"],
    "engine/model": ["engine/base", "engine/ops"],
    "engine/weights": ["engine/base", "engine/ops", "engine/model", "engine/text"],
    "engine/quantize": ["engine/base", "engine/ops", "engine/model", "engine/weights"],
    "engine/family": [
        "engine/base",
        "engine/ops",
        "engine/model",
        "engine/text",
        "engine/weights",
        "engine/quantize",
    ],
    "scheduler": [
        "engine/base",
        "engine/sampling",
        "engine/model/media.h",
        "engine/model/model_runner.h",
        "engine/model/text_encoder.h",
    ],
    "config": ["engine/base"],
    "server": ["engine", "scheduler", "config"],
    "server/access": ["engine/base"],
    "server/worker": ["engine", "server/access", "server/media"],
    "server/call": [
        "engine",
        "scheduler",
        "server/access/caller.h",
        "server/access/memory_budget.h",
        "server/media",
        "server/worker",
    ],
    "server/media": ["engine"],
    "server/catalog": ["engine", "scheduler", "config", "server/call/served_model.h"],
    "server/http": ["engine/base", "server/access"],
    "server/page": [],
    "server/api": [
        "engine",
        "scheduler",
        "server/access",
        "server/call",
        "server/catalog",
        "server/http",
        "server/media/fetch.h",
        "server/page",
    ],
    "server/cli": ["engine", "scheduler", "config", "server"],
}
# Third-party header pattern -> where it may be included.
CONFINED = {
    r"httplib\.h": ["server/http"],
    r"oneapi/dnnl": ["engine/ops/isa", "engine/ops/linear", "engine/quantize"],
    r"systemd/": ["server/cli"],
    r"histedit\.h": ["server/cli"],
    r"(jpeglib|jerror|spng)\.h|webp/|curl/": ["server/media"],
    r"lib(av\w+|swscale)/": ["server/media/video"],
}
# JSON never crosses a layer: in headers it stays inside these folders.
JSON_HEADERS = ["server/api", "engine/weights/json.h"]
MAX_LINES = 400


def folder_of(path):
    matches = [f for f in ALLOWED if path.startswith(f + "/")]
    return max(matches, key=len, default=None)


def check(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    problems = []
    if text.count("\n") > MAX_LINES:
        problems.append(f"{path}: {text.count(chr(10))} lines, at most {MAX_LINES}")
    folder = folder_of(path)
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#include [<"]([^>"]+)[>"]', line)
        if not match or folder is None:
            continue
        header = match.group(1)
        where = f"{path}:{number}: {line.strip()}"
        if (ROOT / header).exists() and not header.startswith("textkit/"):
            allowed = [folder, *ALLOWED[folder]]
            if not any(header == a or header.startswith(a + "/") for a in allowed):
                problems.append(f"{where}: {folder} may not include it")
        for pattern, places in CONFINED.items():
            if re.match(pattern, header) and not any(path.startswith(p) for p in places):
                problems.append(f"{where}: only in {', '.join(places)}")
        if header.startswith("nlohmann/") and path.endswith(".h"):
            if not any(path.startswith(p) for p in JSON_HEADERS):
                problems.append(f"{where}: JSON types stay out of headers here")
    return problems


def main():
    problems = []
    for top in ("engine", "scheduler", "config", "server", "tests", "textkit/src"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in (".h", ".cc", ".rs", ".py"):
                problems += check(str(path.relative_to(ROOT)))
    print("\n".join(problems) or "includes follow the layers")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
