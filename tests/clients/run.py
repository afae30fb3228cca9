"""Runs the calls of all clients against one daemon, and prints a line for each call, a table and the totals.

scripts/test-clients starts this program. Each folder beside it is a client: calls.py with requirements.txt, or calls.mjs
with package.json. Clients are installed into build/clients. EDGEGATE_BIN is the program to test.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import install
import page

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build/clients"
MODELS = ROOT / "models"
SMOLLM2 = MODELS / "SmolLM2-135M-Instruct.Q4_1.gguf"
DEMO = ROOT / "tools/edge-demo-v"
BINARIES = [ROOT / "build" / preset / "edgegate" for preset in ("release", "dev")]
# The clients that scripts/test runs: light to install, and done in two minutes.
QUICK = ["openai-python", "ollama-python", "anthropic-python", "recorded"]
LIMIT_S = 1200  # for all calls of one client


def binary():
    if named := os.environ.get("EDGEGATE_BIN"):
        return pathlib.Path(named).resolve()
    for path in BINARIES:
        if path.exists():
            return path
    sys.exit("test-clients: no build/release/edgegate; build it, or set EDGEGATE_BIN")


def variant(name, **more):
    """edge-demo-v with other members of its configuration. Its answers are weaker."""
    folder = BUILD / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in (DEMO / "model").iterdir():
        data = file.read_bytes()
        if file.name in ("config.json", "generation_config.json"):
            known = json.loads(data)
            changed = {key: value for key, value in more.items() if key in known}
            data = json.dumps(known | changed).encode()
        (folder / file.name).write_bytes(data)
    return folder


class Daemon:
    """The daemon with the models that the calls name. `url` is its base address."""

    def __init__(self, program):
        # Agents and cameras send long prompts. Codex sends no limit on the tokens of an answer, so that the answers of its
        # model end with their first word: each token that begins another word is an end token.
        vocabulary = json.loads((DEMO / "model/tokenizer.json").read_text())["model"]["vocab"]
        words = [token for text, token in vocabulary.items() if text.startswith("\u0120")]
        long = variant("edge-demo-v-long", max_position_embeddings=8192)
        brief = variant(
            "edge-demo-v-brief", max_position_embeddings=32768, eos_token_id=[882, *words]
        )
        models = {
            "edge-demo-v": program.parent / "edge-demo-v.edgegate",
            "edge-demo-v-long": long,
            "edge-demo-v-brief": brief,
            "smollm2": SMOLLM2,
            "all-MiniLM-L6-v2": MODELS / "all-MiniLM-L6-v2",
        }
        command = [str(program), "serve", "--port", "0", "--engine.cache_dir", str(BUILD / "cache")]
        for name, path in models.items():
            command += ["--model", f"{name}={path}"]
        self.log = BUILD / "daemon.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stderr=log)
        self.url = "http://127.0.0.1:" + self.wait_for(r"listening on http://[^:]+:(\d+)")
        self.wait_for(r"\bready\b()")

    def wait_for(self, pattern):
        for _ in range(6000):  # 5 minutes: a busy machine quantizes slowly
            if match := re.search(pattern, self.log.read_text()):
                return match.group(1)
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        sys.exit(f"test-clients: the daemon did not print {pattern}:\n{self.log.read_text()}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def environment(url):
    return os.environ | {
        "EDGEGATE_URL": url,
        "EDGEGATE_IMAGES": str(DEMO / "images"),
        "EDGEGATE_TOKENIZER": str(MODELS / "all-MiniLM-L6-v2"),
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENAI_API_KEY": "none",
        # No client asks another server.
        "HF_HUB_OFFLINE": "1",
        "DO_NOT_TRACK": "1",
        "LANGSMITH_TRACING": "false",
        "OPENAI_AGENTS_DISABLE_TRACING": "1",
    }


def show(line):
    print(f"{'ok  ' if line['ok'] else 'FAIL'}  {line['client']}: {line['call']}", end="")
    print(f"  ({line['detail']})" if line["detail"] else "", flush=True)


def run_client(name, url):
    """Runs one client and returns its lines. A client that cannot run is a failed call."""

    def failure(call, detail):
        lines.append({"client": name, "version": "", "call": call, "ok": False, "detail": detail})
        show(lines[-1])
        return lines

    lines = []
    try:
        command = install.install(HERE / name, BUILD)
    except install.Failure as error:
        return failure("install", str(error))
    print(f"== {name}", flush=True)
    errors = BUILD / f"{name}.log"
    with errors.open("w") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment(url), cwd=BUILD
        )
        deadline = time.monotonic() + LIMIT_S
        for text in process.stdout:
            if text.startswith("{"):
                lines.append(json.loads(text))
                show(lines[-1])
            if time.monotonic() > deadline:
                process.kill()
        code = process.wait()
    if code != 0 or not lines:
        return failure(
            "run", f"exit code {code}; {errors.relative_to(ROOT)}: {errors.read_text()[-300:]}"
        )
    return lines


def main():
    names = sorted(path.parent.name for path in HERE.glob("*/calls.*"))
    parser = argparse.ArgumentParser(prog="test-clients", description="Runs the calls of clients.")
    parser.add_argument("--quick", action="store_true", help="only " + ", ".join(QUICK))
    parser.add_argument(
        "--only", metavar="NAME", action="append", choices=names, help="one of " + ", ".join(names)
    )
    parser.add_argument(
        "--write", action="store_true", help="write docs/clients.md from a run of all clients"
    )
    options = parser.parse_args()
    if options.write and (options.quick or options.only):
        parser.error("--write needs a run of all clients")
    chosen = options.only or (QUICK if options.quick else names)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the daemon is stopped
    program = binary()
    BUILD.mkdir(parents=True, exist_ok=True)
    daemon = Daemon(program)
    lines = []
    try:
        for name in chosen:
            lines += run_client(name, daemon.url)
    finally:
        code = daemon.stop()
    if code != 0:
        lines.append(
            {
                "client": "edgegate",
                "version": "",
                "call": "stop",
                "ok": False,
                "detail": f"exit code {code}",
            }
        )
        show(lines[-1])
    print(page.summary(lines))
    if options.write:
        version = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
        (ROOT / "docs/clients.md").write_text(
            page.document(lines, f"edgegate {version}", datetime.date.today())
        )
    failed = sum(not line["ok"] for line in lines)
    print(f"{len(lines) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
