"""The daemon for hostile cases, with its memory limit and its health probe."""

import base64
import json
import pathlib
import time

import process_tree
import runner
from beside import Beside
from daemon import FACTOR, MEMORY_MB, ROOT, Daemon, arguments
from memory_limit import MemoryLimit

PHOTO = ROOT / "tools/edge-demo-v/images/gauge.jpg"


def photo_request():
    """An honest request that shows an image."""
    url = "data:image/jpeg;base64," + base64.b64encode(PHOTO.read_bytes()).decode()
    content = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "What does the gauge read?"},
    ]
    messages = [{"role": "user", "content": content}]
    return {"model": "demo", "messages": messages, "max_tokens": 16, "temperature": 0}


SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def schema_request():
    body = {"model": "smol", "messages": [{"role": "user", "content": "A person as JSON."}]}
    form = {"type": "json_schema", "json_schema": {"name": "p", "schema": SCHEMA}}
    return {**body, "response_format": form, "max_tokens": 48, "temperature": 0}


class Arena:
    """Keeps a daemon running: starts a new one if it died or does not become idle."""

    def __init__(self, folder, cache):
        self.folder, self.cache = pathlib.Path(folder), cache
        self.limit = MemoryLimit(MEMORY_MB if FACTOR == 1 else int(MEMORY_MB * 4))
        self.daemon = self.health = None
        self.starts, self.results = 0, []
        self.start()

    def start(self):
        self.starts += 1
        log = self.folder / f"daemon-{self.starts}.log"
        self.daemon = Daemon(*arguments(self.cache), log=log, limit=self.limit)
        for request in (photo_request(), schema_request()):
            self.daemon.ask("/v1/chat/completions", request)
        self.daemon.ask("/v1/completions", {"model": "tiny", "prompt": "x", "max_tokens": 1})
        file = self.folder / f"health-{self.starts}.jsonl"
        self.health = Beside("health", self.daemon.port, file)
        time.sleep(0.5)
        self.memory_at_start = process_tree.pss_anon_mb(self.daemon.pid)
        self.counts_at_start = process_tree.counts(self.daemon.pid)

    def run(self, case, alone=True, data=None):
        if not self.daemon.alive():
            self.close_daemon()
            self.start()
        result = runner.run(self.daemon, case, self.health, alone, data)
        self.results.append(result)
        if any(problem.startswith("busy") for problem in result.problems):
            self.daemon.process.kill()
            self.daemon.process.wait()
        return result

    def close_daemon(self):
        self.health.stop()
        code = self.daemon.process.poll()
        return self.daemon.stop() if code is None else code

    def close(self):
        code = self.close_daemon()
        self.limit.remove()
        return code

    def write_report(self, file):
        rows = [vars(result) for result in self.results]
        pathlib.Path(file).write_text(json.dumps({"limit": self.limit.how, "cases": rows}, indent=1))


def table(results, slowest=25):
    """Lines: failed cases first, then those that cost most."""
    failed = [r for r in results if r.problems]
    costly = sorted((r for r in results if not r.problems), key=lambda r: -max(r.wall_s, r.cpu_s))
    form = "{:<16} {:<46} {:>12} {:>7} {:>7} {:>8} {:>7}"
    lines = [form.format("group", "case", "status", "wall s", "CPU s", "memory", "health")]
    for r in [*failed, *costly[:slowest]]:
        statuses = ",".join(str(s) for s in sorted(set(r.statuses))) or "-"
        lines.append(form.format(
            r.group, r.name[:46], statuses, f"{r.wall_s:.2f}", f"{r.cpu_s:.2f}",
            f"{r.memory_mb:.0f} MB", f"{r.health_s:.2f}",
        ))
        lines += [f"    {problem[:200]}" for problem in r.problems]
    lines.append(f"{len(results)} cases, {len(failed)} failed")
    return lines
